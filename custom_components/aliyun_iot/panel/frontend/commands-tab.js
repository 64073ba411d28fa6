// The journal: the last commands of the cloud and how each was answered.

import { css, html, nothing, repeat } from "./vendor/lit.js";
import { shared } from "./styles.js";
import { Tab } from "./tab.js";

class CommandsTab extends Tab {
  static properties = {
    ...Tab.properties,
    _rows: { state: true },
    _search: { state: true },
    _failed: { state: true },
    _open: { state: true },
  };

  static styles = [
    shared,
    css`
      .code { font-weight: 500; }
      .ok { color: var(--good-text); }
      .what { border: 0; background: none; padding: 0; cursor: pointer; text-align: start; overflow-wrap: anywhere; }
      dl { display: grid; grid-template-columns: max-content 1fr; gap: 4px 16px; margin: 0; }
      dt { color: var(--secondary-text-color); }
      dd { margin: 0; overflow-wrap: anywhere; }
      tr.details td { background: var(--secondary-background-color); }
      pre { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; }
      @media (max-width: 600px) {
        thead { display: none; }
        tbody tr { display: grid; grid-template-columns: auto 1fr auto; padding: 6px 0; border-bottom: 1px solid var(--divider-color); }
        tbody td { border: 0; padding: 2px 8px; }
        tbody td.whole { grid-column: 1 / 4; }
        tbody td.last { order: 0; text-align: end; }
        tbody td.whole { order: 1; }
        dl { grid-template-columns: 1fr; gap: 0; }
        dd { margin-bottom: 8px; }
      }
    `,
  ];

  constructor() {
    super();
    this.feedType = "commands/subscribe";
    this._search = "";
    this._failed = false;
  }

  onEvent(event) {
    if (event.rows) this._rows = event.rows.toReversed();
  }

  render() {
    if (!this._rows) return html`${this.banner()}<p class="empty" role="status">${this.t("loading")}</p>`;
    if (!this._rows.length) return html`${this.banner()}<p class="empty" role="status">${this.t("no_commands")}</p>`;
    const words = this._search.toLowerCase();
    const shown = this._rows.filter(
      (row) => (!this._failed || row.code !== 200) && JSON.stringify([row, this._kind(row)]).toLowerCase().includes(words),
    );
    return html`
      ${this.banner()}
      <div class="toolbar">
        <input class="grow" type="search" placeholder=${this.t("search")} aria-label=${this.t("search")}
          @input=${(event) => (this._search = event.target.value)} />
        <label><input type="checkbox" @change=${(event) => (this._failed = event.target.checked)} /> ${this.t("only_failed")}</label>
      </div>
      <div class="scroll" tabindex="0" role="region" aria-label=${this.t("tab_commands")}>
        <table>
          <thead><tr>
            <th>${this.t("when")}</th><th>${this.t("kind")}</th><th>${this.t("what")}</th><th>${this.t("outcome")}</th>
            <th class="nowrap">${this.t("took")}</th>
          </tr></thead>
          <tbody>
            ${repeat(shown, (row) => key(row), (row) => this._row(row))}
          </tbody>
        </table>
        ${shown.length === 0 ? html`<p class="empty">${this.t("nothing_found")}</p>` : nothing}
      </div>
    `;
  }

  _kind(row) {
    return this.texts.has(`kind_${row.kind}`) ? this.t(`kind_${row.kind}`) : row.kind;
  }

  _row(row) {
    const open = this._open === key(row);
    const entities = this.texts.list((row.entities || []).map((entity) => entity.name));
    return html`<tr>
        <td class="nowrap">${this.texts.moment(Date.parse(row.at) / 1000)}</td>
        <td>${this._kind(row)}${row.device ? html`<div class="muted">${row.device}</div>` : nothing}</td>
        <td class="whole">
          <button class="what" aria-expanded=${open} @click=${() => (this._open = open ? undefined : key(row))}>
            <span aria-hidden="true">${open ? "▾" : "▸"}</span> <span class="mono">${row.target.join(", ") || this._size(row)}</span>
          </button>
          ${entities ? html`<div class="muted">${entities}</div>` : nothing}
        </td>
        <td class="whole">
          <span class="code ${row.code === 200 ? "ok" : "error"}">${row.code}</span> ${row.meaning}
          ${row.dry_run ? html`<div class="muted">${this.t("dry_run")}</div>` : nothing}
        </td>
        <td class="nowrap last">${row.size === undefined ? "—" : this.t("milliseconds", { count: this.texts.number(row.milliseconds) })}</td>
      </tr>
      ${open ? html`<tr class="details"><td class="whole" colspan="5">${this._details(row)}</td></tr>` : nothing}`;
  }

  _size(row) {
    return row.size ? this.t("bytes", { count: this.texts.number(row.size) }) : "—";
  }

  _details(row) {
    const part = (label, value) => (value ? html`<dt>${this.t(label)}</dt><dd>${value}</dd>` : nothing);
    const entities = (row.entities || []).map(
      ({ id, name }) => html`<div><a href="#" @click=${(event) => this._moreInfo(event, id)}>${name}</a> <span class="mono muted">${id}</span></div>`,
    );
    return html`<dl>
      ${part("entity", entities.length ? entities : "")}
      ${part("values", row.params === null || row.params === undefined ? "" : html`<pre class="mono">${JSON.stringify(row.params, null, 2)}</pre>`)}
      ${part("answer", html`<span class="mono">${row.code}</span> ${row.meaning} ${row.code === 200 ? nothing : html`<div class="mono muted">${row.message}</div>`}`)}
      ${part("message_id", html`<span class="mono">${row.id || "—"}</span>`)}
      ${part("size", row.size ? this._size(row) : "")}
      ${part("caller", row.sync === undefined ? "" : this.t(row.sync ? "caller_waits" : "caller_does_not_wait"))}
    </dl>`;
  }

  _moreInfo(event, entityId) {
    event.preventDefault();
    this.dispatchEvent(new CustomEvent("hass-more-info", { bubbles: true, composed: true, detail: { entityId } }));
  }
}

function key(row) {
  return `${row.at} ${row.owner} ${row.id} ${row.kind}`;
}

customElements.define("aliyun-commands-tab", CommandsTab);
