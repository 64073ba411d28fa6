// The table of bindings: both sides of every property, and what can be done with many of them at once.

import { css, html, nothing, repeat } from "./vendor/lit.js";
import "./binding-editor.js";
import { shared } from "./styles.js";
import { Tab } from "./tab.js";

const ROW = 56; // pixels
const NARROW_ROW = 112;
const SPARE = 8; // rows that are rendered above and below what is visible

const HARMLESS = ["in_step", "on_its_way", "held_back", "no_value", "control_only"];
const PROBLEMS = [
  "rejected", "unreportable", "not_settable", "misfit", "not_in_model", "entity_gone", "entity_disabled", "broken",
];
const STATES = [...PROBLEMS, ...HARMLESS];
const COLUMNS = ["name", "entity", "ha", "sent_at", "taken_at", "state"];
const ACCESS = ["report", "control", "both"];

class BindingsTab extends Tab {
  static properties = {
    ...Tab.properties,
    narrow: { type: Boolean },
    _version: { state: true },
    _entry: { state: true },
    _search: { state: true },
    _filters: { state: true },
    _sort: { state: true },
    _top: { state: true },
    _height: { state: true },
    _selected: { state: true },
    _editing: { state: true },
    _notice: { state: true },
  };

  static styles = [
    shared,
    css`
      :host { display: flex; flex-direction: column; }
      .status { padding: 8px 0 0; }
      .dot { display: inline-block; width: 10px; height: 10px; border-radius: 5px; background: var(--error-color); }
      .dot.online { background: var(--success-color, #0b8043); }
      .viewport { flex: 1 1 auto; min-height: 200px; overflow: auto; border: 1px solid var(--divider-color); border-radius: 12px;
        background: var(--card-background-color); position: relative; }
      .head, .row { display: grid; grid-template-columns: 40px 2fr 2fr 1fr 1.2fr 1.2fr 1.8fr; align-items: center; gap: 8px;
        padding: 0 8px; box-sizing: border-box; }
      .head { position: sticky; top: 0; z-index: 1; background: var(--card-background-color); min-height: 40px;
        border-bottom: 1px solid var(--divider-color); }
      .head button { border: 0; background: none; padding: 4px 0; cursor: pointer; text-align: start; font-weight: 500;
        color: var(--secondary-text-color); }
      .row { height: ${ROW}px; position: absolute; inset-inline: 0; border-bottom: 1px solid var(--divider-color); cursor: pointer; }
      .row:hover { background: var(--secondary-background-color); }
      .row.selected { background: color-mix(in srgb, var(--primary-color) 12%, transparent); }
      .cell { overflow: hidden; min-width: 0; }
      .cell > div { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
      .small { font-size: 0.85em; color: var(--secondary-text-color); }
      .state { font-weight: 500; }
      .state.problem { color: var(--bad-text); }
      .state.in_step { color: var(--good-text); }
      .state.held_back, .state.on_its_way { color: var(--warning-text); }
      .open { border: 0; background: none; padding: 0; cursor: pointer; text-align: start; max-width: 100%; overflow: hidden;
        text-overflow: ellipsis; white-space: nowrap; color: var(--primary-text-color); }
      .notice { position: sticky; bottom: 0; display: flex; gap: 12px; align-items: center; padding: 10px 16px; margin-top: 8px;
        border-radius: 8px; background: var(--primary-text-color); color: var(--primary-background-color); }
      .notice button { border: 0; background: none; color: inherit; text-decoration: underline; cursor: pointer; }
      .narrow .head { display: none; }
      .narrow .row { height: ${NARROW_ROW}px; grid-template-columns: 40px 1fr 1fr; grid-auto-rows: min-content; align-content: center; gap: 2px 8px; }
      .narrow .row .wide { grid-column: 2 / 4; }
      .narrow .row .check { grid-row: 1 / 6; }
      .narrow .row .side { grid-column: 2 / 4; }
      .narrow .labelled::before { content: attr(data-label) " "; color: var(--secondary-text-color); font-size: 0.85em; }
      .narrow .cell > div { display: inline; }
      .narrow .labelled .small { display: none; }
      .narrow .cell { white-space: nowrap; text-overflow: ellipsis; }
    `,
  ];

  constructor() {
    super();
    this.feedType = "bindings/subscribe";
    this._rows = new Map();
    this._version = 0;
    this._entry = null;
    this._search = "";
    this._filters = { state: "", area: "", access: "", rule: "" };
    this._sort = { by: "name", down: false };
    this._top = 0;
    this._height = 600;
    this._selected = new Set();
    this._resized = new ResizeObserver(([size]) => (this._height = size.contentRect.height));
  }

  open() {
    super.open();
    const wanted = new URLSearchParams(location.search).get("state");
    if (wanted) this._filters = { ...this._filters, state: wanted };
  }

  firstUpdated() {
    this._resized.observe(this.renderRoot.querySelector(".viewport"));
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this._resized.disconnect();
  }

  onEvent(event) {
    if (event.reset) {
      this._rows.clear();
      this._selected = new Set();
    }
    for (const row of event.rows || []) this._rows.set(row.id, row);
    for (const id of event.gone || []) {
      this._rows.delete(id);
      this._selected.delete(id);
    }
    if (event.entry) this._entry = event.entry;
    if (event.removed || event.error) {
      this._entry = null;
      this.dispatchEvent(new CustomEvent("device-removed", { bubbles: true, composed: true }));
    }
    this._version += 1;
  }

  get _shown() {
    const words = this._search.toLowerCase().split(/\s+/).filter(Boolean);
    const { state, area, access, rule } = this._filters;
    const shown = [...this._rows.values()].filter(
      (row) =>
        (!state || row.state === state || (state === "problems" && PROBLEMS.includes(row.state))) &&
        (!area || row.area === area) &&
        (!access || row.access === access) &&
        (!rule || (rule === "own" ? !row.rule : row.rule === rule)) &&
        words.every((word) => this._text(row).includes(word)),
    );
    const { by, down } = this._sort;
    const key = (row) => (by === "name" ? row.name || row.id : by === "state" ? STATES.indexOf(row.state) : (row[by] ?? ""));
    const compare = (one, other) => (typeof one === "number" && typeof other === "number"
      ? one - other
      : String(one).localeCompare(String(other), this.texts.language, { numeric: true }));
    return shown.sort((one, other) => (down ? -1 : 1) * compare(key(one), key(other)));
  }

  _text(row) {
    row.text ??= [row.id, row.name, row.entity, row.entity_id, row.aspect, row.device, row.area, row.why, this.t(`state_${row.state}`)]
      .join("\n").toLowerCase();
    return row.text;
  }

  render() {
    const loading = this._entry === null;
    const shown = this._shown;
    return html`
      ${loading ? html`<p class="empty" role="status">${this.t("loading")}</p>` : [this._status(), this._toolbar(shown)]}
      ${this._selected.size ? this._bulk() : nothing} ${this._viewport(shown)}
      ${this._notice
        ? html`<div class="notice" role="status">
            <span>${this._notice.text}</span>
            ${this._notice.undo ? html`<button @click=${this._undo}>${this.t("undo")}</button>` : nothing}
            <button @click=${() => (this._notice = undefined)}>${this.t("close")}</button>
          </div>`
        : nothing}
      ${this._editing
        ? html`<aliyun-binding-editor .hass=${this.hass} .texts=${this.texts} .entryId=${this.entryId} .row=${this._editing}
            @closed=${this._edited}></aliyun-binding-editor>`
        : nothing}
    `;
  }

  _status() {
    const entry = this._entry || {};
    const connected = entry.online ? this.t("online") : entry.setup === "loaded" ? this.t("offline") : this.t("not_set_up");
    const model = entry.model === null || entry.model === undefined ? this.t("no_model") : this.t("model_properties", { count: entry.model });
    return html`<div class="status" role="status">
      <span class="dot ${entry.online ? "online" : ""}" aria-hidden="true"></span>
      ${connected}${entry.reason && !entry.online ? html` <span class="muted">(${entry.reason})</span>` : nothing}
      · ${model} · ${this.t("bound", { count: this._rows.size })} ·
      ${entry.problems
        ? html`<a href="#" class="error" @click=${this._showProblems}>${this.t("problems", { count: entry.problems })}</a>`
        : this.t("no_problems")}
    </div>`;
  }

  _showProblems(event) {
    event.preventDefault();
    this._filters = { ...this._filters, state: "problems" };
  }

  _toolbar(shown) {
    const rows = [...this._rows.values()];
    const areas = [...new Set(rows.map((row) => row.area).filter(Boolean))].sort();
    const rules = [...new Set(rows.map((row) => row.rule).filter(Boolean))];
    const filter = (name, options) => html`<select aria-label=${this.t(`filter_${name}`)} .value=${this._filters[name]}
      @change=${(event) => (this._filters = { ...this._filters, [name]: event.target.value })}>
      <option value="">${this.t(`filter_${name}`)}</option>
      ${options.map(([value, label]) => html`<option value=${value} ?selected=${this._filters[name] === value}>${label}</option>`)}
    </select>`;
    const ruleTitles = this._entry?.rules || {};
    return html`<div class="toolbar">
      <input class="grow" type="search" placeholder=${this.t("search")} aria-label=${this.t("search")} .value=${this._search}
        @input=${(event) => (this._search = event.target.value)} />
      ${filter("state", [["problems", this.t("filter_problems")], ...STATES.map((state) => [state, this.t(`state_${state}`)])])}
      ${areas.length ? filter("area", areas.map((area) => [area, area])) : nothing}
      ${filter("access", ACCESS.map((access) => [access, this.t(`access_${access}`)]))}
      ${rules.length ? filter("rule", [["own", this.t("rule_own")], ...rules.map((rule) => [rule, ruleTitles[rule] || rule])]) : nothing}
      <span class="muted" role="status">${this.t("shown", { shown: shown.length, all: this._rows.size })}</span>
      <button class="button" @click=${this._post} ?disabled=${!this._entry?.online}>${this.t("post_everything")}</button>
    </div>`;
  }

  _bulk() {
    return html`<form class="toolbar" @submit=${this._change}>
      <strong>${this.t("selected", { count: this._selected.size })}</strong>
      <select name="access" aria-label=${this.t("change_access")}>
        <option value="">${this.t("change_access")}</option>
        ${ACCESS.map((access) => html`<option value=${access}>${this.t(`access_${access}`)}</option>`)}
      </select>
      <input name="min_interval" type="number" min="0" max="86400" step="any" placeholder=${this.t("change_min_interval")}
        aria-label=${this.t("change_min_interval")} />
      <input name="dead_band" type="number" min="0" step="any" placeholder=${this.t("change_dead_band")}
        aria-label=${this.t("change_dead_band")} />
      <button class="button primary">${this.t("apply")}</button>
      <button class="button danger" type="button" @click=${this._remove}>${this.t("remove")}</button>
      <button class="button" type="button" @click=${() => (this._selected = new Set())}>${this.t("select_none")}</button>
    </form>`;
  }

  _viewport(shown) {
    const height = this.narrow ? NARROW_ROW : ROW;
    const first = Math.max(0, Math.floor(this._top / height) - SPARE);
    const last = Math.min(shown.length, Math.ceil((this._top + this._height) / height) + SPARE);
    const all = shown.length > 0 && shown.every((row) => this._selected.has(row.id));
    return html`<div class="viewport ${this.narrow ? "narrow" : ""}" @scroll=${(event) => (this._top = event.target.scrollTop)}
      role="table" aria-label=${this.t("tab_bindings")} aria-rowcount=${shown.length + 1} tabindex="0">
      <div class="head" role="row" aria-rowindex="1">
        <span role="columnheader">
          <input type="checkbox" aria-label=${this.t("select_all")} .checked=${all} @change=${() => this._selectAll(shown, !all)} />
        </span>
        ${COLUMNS.map((column) => {
          const sorted = this._sort.by === column;
          return html`<span role="columnheader" aria-sort=${sorted ? (this._sort.down ? "descending" : "ascending") : "none"}>
            <button @click=${() => (this._sort = { by: column, down: sorted && !this._sort.down })}>
              ${this.t(`column_${column}`)}${sorted ? (this._sort.down ? " ↓" : " ↑") : ""}
            </button>
          </span>`;
        })}
      </div>
      ${shown.length === 0 && this._entry
        ? html`<p class="empty" role="row"><span role="cell">${this._rows.size ? this.t("nothing_found") : this._nothingBound()}</span></p>`
        : nothing}
      <div role="rowgroup" style="position:relative;height:${shown.length * height}px">
        ${repeat(shown.slice(first, last), (row) => row.id, (row, index) => this._row(row, first + index, height))}
      </div>
    </div>`;
  }

  _nothingBound() {
    return html`${this.t("nothing_bound")}<br />
      <a href="/config/integrations/integration/aliyun_iot">${this.t("bind_there")}</a>`;
  }

  _row(row, index, height) {
    const label = (column) => this.t(`column_${column}`);
    const selected = this._selected.has(row.id);
    return html`<div class="row ${selected ? "selected" : ""}" role="row" aria-rowindex=${index + 2} style="top:${index * height}px"
      @click=${() => (this._editing = row)}>
      <span class="check" role="cell" @click=${(event) => event.stopPropagation()}>
        <input type="checkbox" .checked=${selected} aria-label=${this.t("select_one", { name: row.name || row.id })}
          @change=${() => this._select(row.id, !selected)} />
      </span>
      <span class="cell wide" role="cell">
        <div><button class="open" @click=${(event) => { event.stopPropagation(); this._editing = row; }}>${row.name || row.id}</button></div>
        <div class="small mono">${row.id}</div>
      </span>
      <span class="cell wide" role="cell" title=${row.entity_id}>
        <div>${row.entity || "—"}</div>
        <div class="small">${row.aspect}${row.area ? ` · ${row.area}` : ""} · ${this.t(`access_${row.access}`)}</div>
      </span>
      <span class="cell labelled" role="cell" data-label=${label("ha")}><div>${this.texts.value(row.ha)}</div></span>
      <span class="cell labelled" role="cell" data-label=${label("sent_at")}>
        <div>${this.texts.value(row.sent)}</div><div class="small"> ${this.texts.moment(row.sent_at)}</div>
      </span>
      <span class="cell labelled" role="cell" data-label=${label("taken_at")}>
        <div>${this.texts.value(row.taken)}</div><div class="small"> ${this.texts.moment(row.taken_at)}</div>
      </span>
      <span class="cell side" role="cell" title=${row.why}>
        <div class="state ${row.state} ${PROBLEMS.includes(row.state) ? "problem" : ""}">${this.t(`state_${row.state}`)}</div>
        <div class="small">${row.why}</div>
      </span>
    </div>`;
  }

  _select(id, on) {
    this._selected = new Set(this._selected);
    if (on) this._selected.add(id);
    else this._selected.delete(id);
  }

  _selectAll(shown, on) {
    this._selected = new Set(on ? shown.map((row) => row.id) : []);
  }

  get _digests() {
    return Object.fromEntries([...this._selected].filter((id) => this._rows.has(id)).map((id) => [id, this._rows.get(id).digest]));
  }

  async _change(event) {
    event.preventDefault();
    const form = new FormData(event.target);
    const changes = {};
    if (form.get("access")) changes.access = form.get("access");
    for (const name of ["min_interval", "dead_band"]) if (form.get(name) !== "") changes[name] = Number(form.get(name));
    if (Object.keys(changes).length === 0) return;
    await this._do("bindings/change", { digests: this._digests, changes }, ({ errors, refused = {}, can_undo: changed }) => {
      if (errors) return { text: Object.values(errors).join(" ") };
      const left = Object.entries(refused);
      const text = this.t("changed", { count: this._selected.size - left.length });
      return { text: left.length ? `${text} ${this.t("left_alone", { count: left.length, reason: left[0][1] })}` : text, undo: changed > 0 };
    });
  }

  async _remove() {
    const count = this._selected.size;
    await this._do("bindings/remove", { digests: this._digests }, () => ({ text: this.t("removed", { count }), undo: true }));
  }

  async _undo() {
    await this._do("bindings/undo", {}, ({ undone }) => ({ text: this.t("undone", { count: undone }) }));
  }

  async _post() {
    await this._do("post", {}, () => ({ text: this.t("posting") }));
  }

  async _do(command, more, tell) {
    try {
      this._notice = tell((await this.call(command, more)) || {});
    } catch (error) {
      this._notice = { text: this.texts.has(`error_${error.code}`) ? this.t(`error_${error.code}`) : error.message };
    }
  }

  _edited(event) {
    this._editing = undefined;
    if (event.detail?.saved) this._notice = { text: this.t("saved", { name: event.detail.saved }), undo: true };
    this.renderRoot.querySelector(".viewport")?.focus();
  }
}

customElements.define("aliyun-bindings-tab", BindingsTab);
