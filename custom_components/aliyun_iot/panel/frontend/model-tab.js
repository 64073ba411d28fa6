// What the product defines, and what of it is bound.

import { css, html, nothing } from "./vendor/lit.js";
import { shared } from "./styles.js";
import { Tab } from "./tab.js";

class ModelTab extends Tab {
  static properties = { ...Tab.properties, _model: { state: true }, _error: { state: true }, _search: { state: true }, _free: { state: true } };

  static styles = [shared, css`section { margin-bottom: 24px; }`];

  constructor() {
    super();
    this._search = "";
    this._free = false;
  }

  open() {
    this._load();
  }

  async _load() {
    try {
      this._model = await this.call("model");
      this._error = undefined;
    } catch (error) {
      this._error = this.texts.has(`error_${error.code}`) ? this.t(`error_${error.code}`) : error.message;
    }
  }

  render() {
    if (this._error || !this._model) return html`<p class="empty" role="status">${this._error || this.t("loading")}</p>`;
    if (!this._model.defined)
      return html`<p class="empty">${this.t("model_missing")}<br /><a href="/config/integrations/integration/aliyun_iot">${this.t("model_there")}</a></p>`;
    const words = this._search.toLowerCase();
    const wanted = (each) => `${each.id}\n${each.name}`.toLowerCase().includes(words) && (!this._free || !each.bound);
    const properties = this._model.properties.filter(wanted);
    const services = this._model.services.filter(wanted);
    const events = this._free ? [] : this._model.events.filter(wanted);
    return html`
      <div class="toolbar">
        <input class="grow" type="search" placeholder=${this.t("search")} aria-label=${this.t("search")}
          @input=${(event) => (this._search = event.target.value)} />
        <label><input type="checkbox" @change=${(event) => (this._free = event.target.checked)} /> ${this.t("only_free")}</label>
        <span class="muted">${this._model.product_key}</span>
      </div>
      ${this._section("properties", properties, ["column_name", "type", "access", "bound_to"], (each) => [
        this._name(each), each.type, html`<span class="nowrap">${each.access}</span>`, each.bound || "—",
      ])}
      ${this._section("services", services, ["column_name", "kind", "input", "output", "bound_to"], (each) => [
        this._name(each), each.type, each.input || "—", each.output || "—", each.bound ? this.t("yes") : "—",
      ])}
      ${this._section("events", events, ["column_name", "output"], (each) => [this._name(each), each.output || "—"])}
    `;
  }

  _name(each) {
    return html`${each.name} <span class="mono muted">${each.id}</span>`;
  }

  _section(key, items, columns, cells) {
    if (!items.length) return nothing;
    return html`<section class="scroll" tabindex="0" role="region" aria-label=${this.t(key)}>
      <h2>${this.t(key)}</h2>
      <table>
        <thead><tr>${columns.map((column) => html`<th>${this.t(column)}</th>`)}</tr></thead>
        <tbody>${items.map((each) => html`<tr>${cells(each).map((cell) => html`<td>${cell}</td>`)}</tr>`)}</tbody>
      </table>
    </section>`;
  }
}

customElements.define("aliyun-model-tab", ModelTab);
