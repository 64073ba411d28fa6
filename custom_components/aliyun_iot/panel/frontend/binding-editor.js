// The form of one binding in a dialog. Fields, texts and checks are those of the form in the integration's own pages.

import { LitElement, css, html, nothing } from "./vendor/lit.js";
import { numberIn } from "./fields.js";
import { shared } from "./styles.js";

class BindingEditor extends LitElement {
  static properties = {
    hass: { attribute: false },
    texts: { attribute: false },
    entryId: { attribute: false },
    row: { attribute: false },
    page: { attribute: false },
    _form: { state: true },
    _errors: { state: true },
    _warned: { state: true },
    _busy: { state: true },
  };

  static styles = [
    shared,
    css`
      dialog { border: 0; border-radius: var(--ha-card-border-radius, 12px); padding: 0; width: min(560px, 96vw); max-height: 92vh;
        background: var(--card-background-color); color: var(--primary-text-color); }
      dialog::backdrop { background: rgba(0, 0, 0, 0.45); }
      form { display: flex; flex-direction: column; max-height: 92vh; }
      .body { overflow: auto; padding: 16px 24px; position: relative; }
      .buttons { display: flex; gap: 8px; justify-content: flex-end; padding: 12px 24px; border-top: 1px solid var(--divider-color);
        flex-wrap: wrap; }
      h2 { padding: 16px 24px 12px; margin: 0; border-bottom: 1px solid var(--divider-color); }
      dl { display: grid; grid-template-columns: max-content 1fr; gap: 4px 16px; margin: 0 0 16px; }
      dt { color: var(--secondary-text-color); }
      dd { margin: 0; overflow-wrap: anywhere; }
      label, fieldset { display: block; margin: 12px 0; border: 0; padding: 0; }
      label > span, legend { display: block; font-weight: 500; margin-bottom: 4px; padding: 0; }
      label.check { display: flex; gap: 8px; align-items: baseline; flex-wrap: wrap; }
      label.check > span { margin: 0; }
      select, input:not([type="checkbox"]), textarea { width: 100%; }
      details { border: 1px solid var(--divider-color); border-radius: 8px; padding: 8px 12px; margin: 12px 0; }
      summary { cursor: pointer; font-weight: 500; }
      small { color: var(--secondary-text-color); display: block; margin-top: 2px; }
    `,
  ];

  constructor() {
    super();
    this._errors = {};
    this._warned = false;
  }

  async connectedCallback() {
    super.connectedCallback();
    await this.updateComplete;
    this.renderRoot.querySelector("dialog").showModal();
    await this._load();
  }

  async _load() {
    try {
      this._form = await this._call("binding/form", { row: this.row.id });
      this._errors = this._form.problem ? { base: this._form.problem } : {};
    } catch (error) {
      this._errors = { base: this.texts.explained(error) };
    }
    this._warned = false;
  }

  _call(type, more) {
    return this.hass.callWS({
      type: `aliyun_iot/${type}`, entry_id: this.entryId, language: this.texts.language, ...more,
    });
  }

  render() {
    const t = (key, placeholders) => this.texts.t(key, placeholders);
    const { row } = this;
    return html`<dialog aria-labelledby="title" @close=${() => this._close()}>
      <form method="dialog" novalidate @submit=${this._save}>
        <h2 id="title">${row.name || row.identifier}</h2>
        <div class="body">
          <dl>
            <dt>${t("column_entity")}</dt>
            <dd>${row.entity_id
              ? html`<a href="#" @click=${this._moreInfo}>${row.entity}</a> <span class="mono muted">${row.entity_id}</span>`
              : "—"}</dd>
            <dt>${t("column_state")}</dt>
            <dd>${t(`state_${row.state}`)}${row.why ? html` · ${row.why}` : nothing}</dd>
            ${this.texts.has(`cure_${row.state}`) ? html`<dt>${t("cure")}</dt><dd>${t(`cure_${row.state}`)}</dd>` : nothing}
            ${row.type ? html`<dt>${t("type")}</dt><dd>${row.type}</dd>` : nothing}
          </dl>
          ${this._general.map((text) => html`<p class="error" role="alert">${text}</p>`)}
          ${this._form ? this._fields() : html`<p class="muted" role="status">${t("loading")}</p>`}
        </div>
        <div class="buttons">
          ${this._form ? html`<button class="button danger" type="button" ?disabled=${this._busy} @click=${this._remove}>${t("remove")}</button>` : nothing}
          <a class="button" href=${this.page}>${t("open_form")}</a>
          <button class="button" type="button" @click=${() => this.renderRoot.querySelector("dialog").close()}>${t("cancel")}</button>
          ${this._form?.fields.length
            ? html`<button class="button primary" ?disabled=${this._busy}>${this._warned ? t("save_anyway") : t("save")}</button>`
            : nothing}
        </div>
      </form>
    </dialog>`;
  }

  // The errors that no field and no section shows.
  get _general() {
    const fields = this._form?.fields || [];
    const shown = new Set(fields.flatMap((field) => [field.name, field.section]));
    return Object.entries(this._errors).filter(([name]) => !shown.has(name)).map(([, text]) => text);
  }

  _fields() {
    const { fields } = this._form;
    if (this._form.problem) return nothing;
    if (!fields.length) return html`<p class="muted">${this.texts.t("edit_in_form")}</p>`;
    const sections = [...new Set(fields.map((field) => field.section))];
    return sections.map((section) => {
      const own = fields.filter((field) => field.section === section);
      const inputs = own.map((field) => this._field(field));
      if (!section) return inputs;
      const values = this._form.values[section] || {};
      const wrong = section in this._errors || own.some((field) => field.name in this._errors);
      return html`<details ?open=${wrong || Object.keys(values).length > 0}>
        <summary>${own[0].section_label}</summary>
        ${this._errors[section] ? html`<p class="error" role="alert">${this._errors[section]}</p>` : nothing} ${inputs}
      </details>`;
    });
  }

  _field(field) {
    const values = field.section ? this._form.values[field.section] || {} : this._form.values;
    const value = values[field.name];
    const name = field.section ? `${field.section}.${field.name}` : field.name;
    const hint = field.description ? html`<small>${field.description}</small>` : nothing;
    const error = this._errors[field.name]
      ? html`<small class="error" role="alert">${this._errors[field.name]}</small>` : nothing;
    if (field.elsewhere)
      return html`<label><span>${field.label}</span>${value?.length ? this.texts.t("set_in_form") : this.texts.t("not_set")}${hint}</label>`;
    switch (field.kind) {
      case "boolean":
        return html`<label class="check"><input type="checkbox" name=${name} .checked=${Boolean(value)} />
          <span>${field.label}</span>${hint}${error}</label>`;
      case "number":
        return html`<label><span>${field.config.unit_of_measurement
            ? this.texts.t("with_unit", { label: field.label, unit: field.config.unit_of_measurement }) : field.label}</span>
          <input type="number" name=${name} step="any" .value=${value ?? ""} />${hint}${error}</label>`;
      case "select":
        return html`<label><span>${field.label}</span>
          <select name=${name}>
            ${value === undefined ? html`<option value=""></option>` : nothing}
            ${!field.config.options.some((option) => option.value === value) && value !== undefined
              ? html`<option value=${value} selected>${value}</option>` : nothing}
            ${field.config.options.map(
              (option) => html`<option value=${option.value} ?selected=${option.value === value}>${option.label}</option>`,
            )}
          </select>${hint}${error}</label>`;
      default:
        return field.config.multiple
          ? html`<label><span>${field.label}</span>
              <textarea name=${name} rows="4" .value=${(value || []).join("\n")}></textarea>${hint}${error}</label>`
          : html`<label><span>${field.label}</span><input type="text" name=${name} .value=${value ?? ""} />${hint}${error}</label>`;
    }
  }

  // What was entered, in the shape that the form of the flow has; what only that form can edit stays as it is.
  _entered() {
    const form = this.renderRoot.querySelector("form");
    const entered = structuredClone(this._form.values);
    for (const field of this._form.fields) {
      if (field.section) entered[field.section] ??= {};
      if (field.elsewhere) continue;
      const into = field.section ? entered[field.section] : entered;
      const input = form.elements[field.section ? `${field.section}.${field.name}` : field.name];
      if (field.kind === "boolean") into[field.name] = input.checked;
      else if (field.kind === "number" && numberIn(input) !== undefined) into[field.name] = numberIn(input);
      else if (input.value === "") delete into[field.name];
      else if (field.config.multiple) into[field.name] = input.value.split("\n").filter((line) => line.trim());
      else into[field.name] = input.value;
    }
    return entered;
  }

  async _save(event) {
    event.preventDefault();
    const values = this._entered();
    this._busy = true;
    try {
      const result = await this._call("binding/save", {
        row: this.row.id, digest: this._form.digest, values, accept_warnings: this._warned,
      });
      if (result.saved) {
        this._saved = result.saved;
        this.renderRoot.querySelector("dialog").close();
        return;
      }
      this._form = { ...this._form, values };
      this._errors = result.errors;
      this._warned = Boolean(result.warning);
    } catch (error) {
      this._errors = { base: this.texts.explained(error) };
      if (error.code === "changed_meanwhile") {
        const { base } = this._errors;
        await this._load();
        this._errors = { ...this._errors, base };
      }
    } finally {
      this._busy = false;
    }
    await this.updateComplete;
    const wrong = this.renderRoot.querySelector(".error");
    wrong?.closest("label")?.querySelector("input, select, textarea").focus({ preventScroll: true });
    wrong?.scrollIntoView({ block: "center" });
  }

  async _remove() {
    this._busy = true;
    try {
      await this._call("bindings/remove", { digests: { [this.row.id]: this._form.digest } });
      this._removed = true;
      this.renderRoot.querySelector("dialog").close();
    } catch (error) {
      this._errors = { base: this.texts.explained(error) };
    } finally {
      this._busy = false;
    }
  }

  _moreInfo(event) {
    event.preventDefault();
    this.renderRoot.querySelector("dialog").close();
    this.dispatchEvent(
      new CustomEvent("hass-more-info", { bubbles: true, composed: true, detail: { entityId: this.row.entity_id } }),
    );
  }

  _close() {
    this.dispatchEvent(new CustomEvent("closed", { detail: { saved: this._saved, removed: this._removed } }));
  }
}

customElements.define("aliyun-binding-editor", BindingEditor);
