// What the product defines, what of it is bound, and what would fit the rest.

import { css, html, nothing } from "./vendor/lit.js";
import { shared } from "./styles.js";
import { Tab } from "./tab.js";

class ModelTab extends Tab {
  static properties = {
    ...Tab.properties,
    _model: { state: true },
    _error: { state: true },
    _search: { state: true },
    _free: { state: true },
    _notice: { state: true },
    _busy: { state: true },
    _owner: { state: true },
  };

  static styles = [
    shared,
    css`
      section { margin-bottom: 24px; }
      @media (max-width: 600px) {
        thead { display: none; }
        tbody tr { display: block; padding: 6px 0; border-bottom: 1px solid var(--divider-color); }
        tbody td { display: block; border: 0; padding: 1px 8px; }
        tbody td:not(:first-child)::before { content: attr(data-label) " "; color: var(--secondary-text-color); font-size: 0.85em; }
        tbody td > div { display: inline; }
      }
      .notice { margin: 8px 0; padding: 8px 12px; border-radius: 8px; border: 1px solid var(--divider-color);
        background: var(--card-background-color); }
    `,
  ];

  constructor() {
    super();
    this._search = "";
    this._free = false;
    this._owner = "";
  }

  willUpdate(changed) {
    if (changed.has("entryId")) this._owner = "";
    super.willUpdate(changed);
  }

  open() {
    this._load();
  }

  async _load() {
    try {
      this._model = await this.call("model", { owner: this._owner });
      this._error = undefined;
    } catch (error) {
      this._error = this.explained(error);
      clearTimeout(this._timer);
      this._timer = setTimeout(() => this.isConnected && this._load(), 3000);
    }
  }

  close() {
    clearTimeout(this._timer);
  }

  render() {
    if (!this._model) return html`<p class="empty" role="status">${this._error || this.t("loading")}</p>`;
    return html`
      ${this._error ? html`<p class="banner" role="alert">${this._error}</p>` : nothing}
      <div class="toolbar">
        <input class="grow" type="search" placeholder=${this.t("search")} aria-label=${this.t("search")}
          @input=${(event) => (this._search = event.target.value)} />
        <label><input type="checkbox" @change=${(event) => (this._free = event.target.checked)} /> ${this.t("only_free")}</label>
        ${this._model.devices.length > 1
          ? html`<select aria-label=${this.t("device")} @change=${(event) => { this._owner = event.target.value; this._load(); }}>
              ${this._model.devices.map(({ owner, title }) => html`<option value=${owner} ?selected=${owner === this._owner}>${title}</option>`)}
            </select>`
          : nothing}
        <span class="muted mono">${this._model.product_key}</span>
        ${this._owner ? nothing : html`<button class="button" ?disabled=${this._busy} @click=${this._generate}>${this.t("generate")}</button>`}
      </div>
      ${this._notice ? html`<p class="notice" role="status">${this._notice}</p>` : nothing}
      ${this._model.defined
        ? this._sections()
        : html`<p class="empty">${this.t("model_missing")}<br /><a href=${this.integrationPage}>${this.t("model_there")}</a></p>`}
    `;
  }

  _sections() {
    const words = this._search.toLowerCase();
    const wanted = (each) => `${each.id}\n${each.name}`.toLowerCase().includes(words) && (!this._free || !each.bound);
    const properties = this._model.properties.filter(wanted);
    const services = this._model.services.filter(wanted);
    const events = this._free ? [] : this._model.events.filter(wanted);
    const fits = properties.filter((each) => each.fits);
    if (!properties.length && !services.length && !events.length)
      return html`<p class="empty" role="status">${this.t(words || this._free ? "nothing_found" : "model_empty")}</p>`;
    return html`
      ${fits.length > 1
        ? html`<p>${this.t("fits_many", { count: fits.length })}
            <button class="button" ?disabled=${this._busy} @click=${() => this._bind(fits)}>${this.t("bind_all")}</button></p>`
        : nothing}
      ${this._section("properties", properties, ["column_name", "type", "access", "bound_to"], (each) => [
        this._name(each), each.type, html`<span class="nowrap">${each.access}</span>`, each.bound || this._fits(each),
      ])}
      ${this._section("services", services, ["name", "kind", "input", "output", "bound_to"], (each) => [
        this._name(each), each.type, parameters(each.input), parameters(each.output), each.bound ? this.t("yes") : "—",
      ])}
      ${this._section("events", events, ["name", "output"], (each) => [this._name(each), parameters(each.output)])}
    `;
  }

  _fits(each) {
    if (!each.fits) return html`<span class="muted">${this.t("not_bound")}</span>`;
    const { entity, entity_id: id, aspect, access } = each.fits;
    return html`<span class="muted">${this.t("would_fit")}</span> <span title=${id}>${entity}</span>
      <span class="muted">· ${aspect} · ${access}</span>
      <button class="link" ?disabled=${this._busy} aria-label=${this.t("bind_one", { name: each.name || each.id, entity })}
        @click=${() => this._bind([each])}>${this.t("bind")}</button>`;
  }

  _name(each) {
    return html`${each.name} ${each.name === each.id ? nothing : html`<span class="mono muted">${each.id}</span>`}`;
  }

  _section(key, items, columns, cells) {
    if (!items.length) return nothing;
    return html`<section class="scroll" tabindex="0" role="region" aria-label=${this.t(key)}>
      <h2>${this.t(key)} <span class="muted">${this.texts.number(items.length)}</span></h2>
      <table>
        <thead><tr>${columns.map((column) => html`<th>${this.t(column)}</th>`)}</tr></thead>
        <tbody>${items.map((each) => html`<tr>${cells(each).map((cell, index) => html`<td data-label=${this.t(columns[index])}>${cell}</td>`)}</tr>`)}</tbody>
      </table>
    </section>`;
  }

  async _bind(properties) {
    const wanted = Object.fromEntries(properties.map((each) => [each.id, each.fits.entity_id]));
    await this._do("model/bind", { owner: this._owner, wanted }, ({ bound }) => html`${this.t("bound_now", { count: bound })}
      <button class="link" @click=${this._undo}>${this.t("undo")}</button>`);
    await this._load();
  }

  async _undo() {
    await this._do("bindings/undo", {}, ({ undone }) => this.t("undone", { count: undone }));
    await this._load();
  }

  async _generate() {
    await this._do("model/generate", {}, ({ path, properties, left_out: left, renamed }) => {
      if (!path)
        return html`${this.t("generate_renames", { count: renamed })} <a href=${this.integrationPage}>${this.t("model_there")}</a>`;
      download(path);
      const text = this.t("generated", { count: properties });
      return left.length ? `${text} ${this.t("generated_without", { list: this.texts.list(left) })}` : text;
    });
  }

  async _do(command, more, tell) {
    this._busy = true;
    try {
      this._notice = tell(await this.call(command, more));
    } catch (error) {
      this._notice = this.explained(error);
    } finally {
      this._busy = false;
    }
  }
}

// A parameter a line: its identifier, and the values that it takes.
function parameters(list) {
  return list.length ? list.map(({ id, type }) => html`<div><span class="mono">${id}</span> <span class="muted">${type}</span></div>`) : "—";
}

function download(path) {
  const link = document.createElement("a");
  link.href = path;
  link.download = "";
  link.click();
}

customElements.define("aliyun-model-tab", ModelTab);
