// The table of bindings: both sides of every property, and what can be done with many of them at once.

import { css, html, nothing, repeat } from "./vendor/lit.js";
import "./binding-editor.js";
import { numberIn } from "./fields.js";
import { shared } from "./styles.js";
import { Tab } from "./tab.js";

const ROW = 56; // pixels
const NARROW_ROW = 100;
const LOADING = 300; // milliseconds between two updates while rows are loaded
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
    _wrong: { state: true },
  };

  static styles = [
    shared,
    css`
      :host { display: flex; flex-direction: column; }
      .status { padding: 8px 0 0; display: flex; flex-wrap: wrap; gap: 0 6px; align-items: baseline; }
      .bulk { display: flex; flex-wrap: wrap; gap: 8px; align-items: start; padding: 8px 12px; margin-bottom: 8px; border-radius: 12px;
        background: color-mix(in srgb, var(--primary-color) 10%, var(--card-background-color)); }
      .bulk strong { align-self: center; }
      .bulk form { display: flex; flex-wrap: wrap; gap: 8px; align-items: start; margin: 0; }
      .bulk input { width: 11em; }
      .field small { display: block; max-width: 11em; }
      .dot { display: inline-block; width: 10px; height: 10px; border-radius: 5px; background: var(--error-color); }
      .dot.online { background: var(--success-color, #0b8043); }
      .viewport { flex: 1 1 auto; min-height: 200px; overflow: auto; border: 1px solid var(--divider-color); border-radius: 12px;
        background: var(--card-background-color); position: relative; }
      .head, .row { display: grid; grid-template-columns: 40px 2fr 2.3fr 1fr 1fr 1fr 2fr; align-items: center; gap: 8px;
        padding: 0 8px; box-sizing: border-box; }
      .head { position: sticky; top: 0; z-index: 1; background: var(--card-background-color); min-height: 40px;
        border-bottom: 1px solid var(--divider-color); }
      .head button { border: 0; background: none; padding: 4px 0; cursor: pointer; text-align: start; font-weight: 500;
        color: var(--secondary-text-color); }
      .row { height: ${ROW}px; position: absolute; inset-inline: 0; border-bottom: 1px solid var(--divider-color); cursor: pointer; }
      .row:hover { background: var(--secondary-background-color); }
      .row.selected { background: color-mix(in srgb, var(--primary-color) 12%, transparent); }
      .row .check { align-self: stretch; }
      .row .check label { display: flex; align-items: center; height: 100%; cursor: pointer; }
      .cell { overflow: hidden; min-width: 0; }
      .cell > div { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
      .small { font-size: 0.85em; color: var(--secondary-text-color); }
      .row:not(.narrow *) .why { white-space: normal; display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 2; line-height: 1.15; }
      .state { font-weight: 500; }
      .state.problem { color: var(--bad-text); }
      .state.in_step { color: var(--good-text); }
      .state.held_back, .state.on_its_way { color: var(--warning-text); }
      .open { border: 0; background: none; padding: 0; cursor: pointer; text-align: start; max-width: 100%; overflow: hidden;
        text-overflow: ellipsis; white-space: nowrap; color: var(--primary-text-color); }
      .notice { position: sticky; bottom: 0; display: flex; gap: 12px; align-items: center; padding: 10px 16px; margin-top: 8px;
        border-radius: 8px; background: var(--primary-text-color); color: var(--primary-background-color); }
      .notice button { border: 0; background: none; color: inherit; text-decoration: underline; cursor: pointer; }
      .narrow .head { grid-template-columns: 28px 1fr; padding: 4px 8px; }
      .narrow .row { height: ${NARROW_ROW}px; grid-template-columns: 28px 1fr 1fr 1fr; grid-auto-rows: min-content; align-content: center;
        gap: 2px 8px; }
      .narrow .row .check { grid-row: 1 / 5; }
      .narrow .row .wide { grid-column: 2 / 5; }
      .narrow .row .side { grid-column: 2 / 5; }
      .narrow input[type="checkbox"] { width: 20px; height: 20px; }
      .narrow .cell { white-space: nowrap; text-overflow: ellipsis; }
      .narrow .wide > div, .narrow .side > div { display: inline; }
      .narrow .labelled { display: flex; gap: 4px; align-items: baseline; }
      .narrow .labelled::before { content: attr(data-label); color: var(--secondary-text-color); font-size: 0.85em; }
      .narrow .labelled .small { display: none; }
    `,
  ];

  constructor() {
    super();
    this.feedType = "bindings/subscribe";
    this._rows = new Map();
    this._order = [];
    this._version = 0;
    this._entry = null;
    this._search = "";
    this._filters = { state: "", device: "", area: "", access: "", rule: "" };
    this._sort = { by: "name", down: false };
    this._top = 0;
    this._height = 600;
    this._selected = new Set();
    this._wrong = {};
    this._resized = new ResizeObserver(([size]) => (this._height = size.contentRect.height));
  }

  open() {
    super.open();
    const wanted = new URLSearchParams(location.search);
    this._filters = { ...this._filters, state: wanted.get("state") || "", device: wanted.get("device") || "" };
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
      this._order = [];
      this._selected = new Set();
      this._done = false;
    }
    for (const row of event.rows || []) {
      if (!this._rows.has(row.id)) this._order.push(row.id);
      this._rows.set(row.id, row);
    }
    if (event.gone) {
      for (const id of event.gone) this._rows.delete(id);
      this._order = this._order.filter((id) => this._rows.has(id));
      this._selected = new Set([...this._selected].filter((id) => this._rows.has(id)));
    }
    if (event.entry) this._entry = event.entry;
    if (event.done) this._done = true;
    // Thousands of rows come in many messages, and each would sort them all.
    const now = performance.now();
    if (!this._done && now - (this._arrangedAt || 0) < LOADING) return;
    this._arrangedAt = now;
    this._version += 1;
  }

  willUpdate(changed) {
    super.willUpdate(changed);
    if (["_version", "_search", "_filters", "_sort", "texts"].some((name) => changed.has(name))) this._arrange();
  }

  // What is shown, and what can be filtered by. Not with every scroll step: there may be ten thousand rows.
  _arrange() {
    const { by, down } = this._sort;
    const key = (row) => (by === "name" ? row.name || row.identifier : by === "state" ? STATES.indexOf(row.state) : (row[by] ?? ""));
    const { compare } = this.texts;
    const order = (one, other) => (typeof one === "number" && typeof other === "number" ? one - other : compare(String(one), String(other)));
    const sign = down ? -1 : 1;
    this._order.sort((one, other) => sign * order(key(this._rows.get(one)), key(this._rows.get(other))));
    const words = this._search.toLowerCase().split(/\s+/).filter(Boolean);
    const { state, device, area, access, rule } = this._filters;
    const states = new Set(state === "problems" ? PROBLEMS : state.split(","));
    this._shown = this._order.map((id) => this._rows.get(id)).filter(
      (row) =>
        (!state || states.has(row.state)) &&
        (!device || (device === "own" ? !row.owner : row.owner === device)) &&
        (!area || row.area === area) &&
        (!access || row.access === access) &&
        (!rule || (rule === "own" ? !row.rule : row.rule === rule)) &&
        words.every((word) => this._text(row).includes(word)),
    );
    const values = (name) => [...new Set([...this._rows.values()].map((row) => row[name]).filter(Boolean))].sort(compare);
    this._areas = values("area");
    this._rules = values("rule");
  }

  _text(row) {
    row.text ??= [
      row.identifier, row.name, row.entity, row.entity_id, row.aspect, row.device, row.area, row.why, this.t(`state_${row.state}`),
      this._deviceName(row.owner), this._entry?.rules?.[row.rule],
    ].join("\n").toLowerCase();
    return row.text;
  }

  _deviceName(owner) {
    return this._entry?.devices?.[owner] || "";
  }

  render() {
    const shown = this._shown || [];
    return html`
      ${this.banner()}
      ${this._entry === null
        ? html`<p class="empty" role="status">${this.t("loading")}</p>`
        : [this._status(), this._toolbar(shown)]}
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
            .page=${this.integrationPage} @closed=${this._edited}></aliyun-binding-editor>`
        : nothing}
    `;
  }

  _status() {
    const entry = this._entry;
    const connected = entry.online ? this.t("online") : entry.setup === "loaded" ? this.t("offline") : this.t("not_set_up");
    const model = entry.model === null || entry.model === undefined ? this.t("no_model") : this.t("model_properties", { count: entry.model });
    const problems = !this._done
      ? html`<span class="muted">${this.t("loading")}</span>`
      : entry.problems
        ? html`<button class="link error" @click=${this._showProblems}>${this.t("problems", { count: entry.problems })}</button>`
        : this.t("no_problems");
    return html`<div class="status" role="status">
      <span class="dot ${entry.online ? "online" : ""}" aria-hidden="true"></span>
      <span>${connected}${entry.reason && !entry.online ? html` <span class="muted">${this.t("because", { reason: entry.reason })}</span>` : nothing}</span>
      ${entry.setup === "loaded"
        ? [model, this.t("bound", { count: this._rows.size }), problems].map((part) => html`<span>· ${part}</span>`)
        : html`<span class="muted">· ${this.t("comes_back")}</span>`}
    </div>`;
  }

  _showProblems() {
    this._filters = { ...this._filters, state: "problems" };
  }

  _toolbar(shown) {
    const filter = (name, options) => {
      const value = this._filters[name];
      const known = !value || options.some(([each]) => each === value);
      return html`<select aria-label=${this.t(`filter_${name}`)} .value=${value}
        @change=${(event) => (this._filters = { ...this._filters, [name]: event.target.value })}>
        <option value="">${this.t(`filter_${name}`)}</option>
        ${known ? nothing : html`<option value=${value} selected>${this.t("filter_affected")}</option>`}
        ${options.map(([each, label]) => html`<option value=${each} ?selected=${value === each}>${label}</option>`)}
      </select>`;
    };
    const { rules = {}, devices = {} } = this._entry;
    const owners = Object.entries(devices).map(([owner, title]) => [owner || "own", title]);
    return html`<div class="toolbar">
      <input class="grow" type="search" placeholder=${this.t("search")} aria-label=${this.t("search")} .value=${this._search}
        @input=${(event) => (this._search = event.target.value)} />
      ${filter("state", [["problems", this.t("filter_problems")], ...STATES.map((state) => [state, this.t(`state_${state}`)])])}
      ${owners.length > 1 ? filter("device", owners) : nothing}
      ${this._areas.length ? filter("area", this._areas.map((area) => [area, area])) : nothing}
      ${filter("access", ACCESS.map((access) => [access, this.t(`access_${access}`)]))}
      ${Object.keys(rules).length || this._rules.length
        ? filter("rule", [["own", this.t("rule_own")], ...Object.entries(rules)])
        : nothing}
      <span class="muted" role="status">${this.t("shown", { shown: shown.length, all: this._rows.size })}</span>
      ${this._entry.can_undo ? html`<button class="button" @click=${this._undo}>${this.t("undo_last")}</button>` : nothing}
      <button class="button" @click=${this._post} ?disabled=${!this._entry.online}>${this.t("post_everything")}</button>
    </div>`;
  }

  _bulk() {
    const rules = Object.entries(this._entry?.rules || {});
    const number = (name) => html`<label class="field">
      <input name=${name} type="number" min="0" step="any" placeholder=${this.t(`change_${name}`)}
        aria-label=${this.t(`change_${name}`)} aria-invalid=${Boolean(this._wrong[name])} />
      ${this._wrong[name] ? html`<small class="error" role="alert">${this._wrong[name]}</small>` : nothing}
    </label>`;
    return html`<div class="bulk" role="group" aria-label=${this.t("selected", { count: this._selected.size })}>
      <strong>${this.t("selected", { count: this._selected.size })}</strong>
      <form novalidate @submit=${this._change}>
        <select name="access" aria-label=${this.t("change_access")}>
          <option value="">${this.t("change_access")}</option>
          ${ACCESS.map((access) => html`<option value=${access}>${this.t(`access_${access}`)}</option>`)}
        </select>
        ${number("min_interval")} ${number("dead_band")}
        <button class="button primary">${this.t("apply")}</button>
      </form>
      ${rules.length
        ? html`<form @submit=${this._assign}>
            <select name="rule" aria-label=${this.t("change_rule")}>
              <option value="">${this.t("rule_take")}</option>
              ${rules.map(([id, title]) => html`<option value=${id}>${this.t("rule_add", { rule: title })}</option>`)}
            </select>
            <button class="button">${this.t("apply_rule")}</button>
          </form>`
        : nothing}
      <button class="button danger" @click=${this._remove}>${this.t("remove")}</button>
      <button class="button" @click=${() => (this._selected = new Set())}>${this.t("select_none")}</button>
    </div>`;
  }

  _viewport(shown) {
    const height = this.narrow ? NARROW_ROW : ROW;
    const first = Math.max(0, Math.floor(this._top / height) - SPARE);
    const last = Math.min(shown.length, Math.ceil((this._top + this._height) / height) + SPARE);
    const selectable = shown.filter((row) => row.digest);
    const all = selectable.length > 0 && this._selected.size >= selectable.length && selectable.every((row) => this._selected.has(row.id));
    return html`<div class="viewport ${this.narrow ? "narrow" : ""}" @scroll=${(event) => (this._top = event.target.scrollTop)}
      role="table" aria-label=${this.t("tab_bindings")} aria-rowcount=${shown.length + 1} tabindex="0">
      <div class="head" role="row" aria-rowindex="1">
        <span role="columnheader">
          <input type="checkbox" aria-label=${this.t("select_all")} .checked=${all} @change=${() => this._selectAll(selectable, !all)} />
        </span>
        ${this.narrow ? this._sortField() : this._headers()}
      </div>
      ${shown.length === 0 && this._done
        ? html`<p class="empty" role="row"><span role="cell">${this._rows.size ? this.t("nothing_found") : this._nothingBound()}</span></p>`
        : nothing}
      <div role="rowgroup" style="position:relative;height:${shown.length * height}px">
        ${repeat(shown.slice(first, last), (row) => row.id, (row, index) => this._row(row, first + index, height))}
      </div>
    </div>`;
  }

  _headers() {
    return COLUMNS.map((column) => {
      const sorted = this._sort.by === column;
      return html`<span role="columnheader" aria-sort=${sorted ? (this._sort.down ? "descending" : "ascending") : "none"}>
        <button @click=${() => (this._sort = { by: column, down: sorted && !this._sort.down })}>
          ${this.t(`column_${column}`)}${sorted ? (this._sort.down ? " ↓" : " ↑") : ""}
        </button>
      </span>`;
    });
  }

  // On a phone there is no room for headers.
  _sortField() {
    const present = `${this._sort.by} ${this._sort.down}`;
    return html`<span role="columnheader">
      <select aria-label=${this.t("sort")} @change=${(event) => {
        const [by, down] = event.target.value.split(" ");
        this._sort = { by, down: down === "true" };
      }}>
        ${COLUMNS.flatMap((column) => [false, true].map((down) => {
          const value = `${column} ${down}`;
          return html`<option value=${value} ?selected=${value === present}>${this.t(`column_${column}`)} ${down ? "↓" : "↑"}</option>`;
        }))}
      </select>
    </span>`;
  }

  _nothingBound() {
    return html`${this.t("nothing_bound")}<br /><a href=${this.integrationPage}>${this.t("bind_there")}</a>`;
  }

  _row(row, index, height) {
    const label = (column) => this.t(`short_${column}`);
    const selected = this._selected.has(row.id);
    const name = row.name || row.identifier;
    const below = [row.owner ? this._deviceName(row.owner) : "", row.name && row.name !== row.identifier ? row.identifier : ""];
    const about = [row.aspect, row.access ? this.t(`access_${row.access}`) : "", row.area];
    return html`<div class="row ${selected ? "selected" : ""}" role="row" aria-rowindex=${index + 2} style="top:${index * height}px"
      @click=${() => this._open(row)}>
      <span class="check" role="cell" @click=${(event) => event.stopPropagation()} @mousedown=${noText}>
        ${row.digest
          ? html`<label><input type="checkbox" .checked=${selected} aria-label=${this.t("select_one", { name })}
              @click=${(event) => this._select(row.id, !selected, event.shiftKey)} /></label>`
          : nothing}
      </span>
      <span class="cell wide" role="cell">
        <div>${row.digest
          ? html`<button class="open" @click=${(event) => { event.stopPropagation(); this._open(row); }}>${name}</button>`
          : name}</div>
        <div class="small mono">${below.filter(Boolean).join(" · ")}</div>
      </span>
      <span class="cell wide" role="cell" title=${row.entity_id}>
        <div>${row.entity || "—"}</div>
        <div class="small">${about.filter(Boolean).join(" · ")}</div>
      </span>
      <span class="cell labelled" role="cell" data-label=${label("ha")}><div title=${this.texts.value(row.ha)}>${this.texts.value(row.ha)}</div></span>
      <span class="cell labelled" role="cell" data-label=${label("sent_at")}>
        <div title=${this.texts.value(row.sent)}>${this.texts.value(row.sent)}</div><div class="small"> ${this.texts.moment(row.sent_at)}</div>
      </span>
      <span class="cell labelled" role="cell" data-label=${label("taken_at")}>
        <div title=${this.texts.value(row.taken)}>${this.texts.value(row.taken)}</div><div class="small"> ${this.texts.moment(row.taken_at)}</div>
      </span>
      <span class="cell side" role="cell" title=${row.why}>
        <div class="state ${row.state} ${PROBLEMS.includes(row.state) ? "problem" : ""}">${this.t(`state_${row.state}`)}</div>
        <div class="small why">${row.why}</div>
      </span>
    </div>`;
  }

  _open(row) {
    if (row.digest) this._editing = row;
  }

  // With Shift, all rows from the last one that was clicked.
  _select(id, on, range) {
    const ids = this._shown.filter((row) => row.digest).map((row) => row.id);
    const [from, to] = [ids.indexOf(range ? this._last : id), ids.indexOf(id)].sort((one, other) => one - other);
    this._selected = new Set(this._selected);
    for (const each of from < 0 ? [id] : ids.slice(from, to + 1)) {
      if (on) this._selected.add(each);
      else this._selected.delete(each);
    }
    this._last = id;
  }

  _selectAll(rows, on) {
    this._selected = new Set(on ? rows.map((row) => row.id) : []);
  }

  get _digests() {
    return Object.fromEntries([...this._selected].filter((id) => this._rows.has(id)).map((id) => [id, this._rows.get(id).digest]));
  }

  async _change(event) {
    event.preventDefault();
    const { access, min_interval, dead_band } = event.target.elements;
    const changes = {};
    if (access.value) changes.access = access.value;
    for (const input of [min_interval, dead_band]) {
      const value = numberIn(input);
      if (value !== undefined) changes[input.name] = value;
    }
    if (Object.keys(changes).length === 0) return;
    await this._do("bindings/change", { digests: this._digests, changes }, (result) => {
      this._wrong = result.errors || {};
      return result.errors ? undefined : this._changed(result);
    });
  }

  async _assign(event) {
    event.preventDefault();
    const rule = new FormData(event.target).get("rule");
    await this._do("bindings/rule", { digests: this._digests, rule }, (result) => this._changed(result));
  }

  _changed({ refused, can_undo: canUndo }) {
    const left = Object.values(refused);
    const text = this.t("changed", { count: this._selected.size - left.length });
    return {
      text: left.length ? `${text} ${this.t("left_alone", { count: left.length, reason: left[0] })}` : text,
      undo: canUndo > 0 && left.length < this._selected.size,
    };
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
      this._notice = { text: this.explained(error) };
    }
  }

  _edited(event) {
    this._editing = undefined;
    if (event.detail?.removed) this._notice = { text: this.t("removed", { count: 1 }), undo: true };
    if (event.detail?.saved) this._notice = { text: this.t("saved", { name: event.detail.saved }), undo: true };
    this.renderRoot.querySelector(".viewport")?.focus();
  }
}

// With Shift, a click would select the text from the last one as well.
function noText(event) {
  if (event.shiftKey) event.preventDefault();
}

customElements.define("aliyun-bindings-tab", BindingsTab);
