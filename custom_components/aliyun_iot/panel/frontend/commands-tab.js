// The journal: the last commands of the cloud and how each was answered.

import { css, html, nothing } from "./vendor/lit.js";
import { shared } from "./styles.js";
import { Tab } from "./tab.js";

class CommandsTab extends Tab {
  static properties = { ...Tab.properties, _rows: { state: true }, _search: { state: true }, _failed: { state: true } };

  static styles = [
    shared,
    css`
      .code { font-weight: 500; }
      .ok { color: var(--good-text); }
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
    if (!this._rows) return html`<p class="empty" role="status">${this.t("no_commands")}</p>`;
    const words = this._search.toLowerCase();
    const shown = this._rows.filter(
      (row) => (!this._failed || row.code !== 200) && JSON.stringify(row).toLowerCase().includes(words),
    );
    return html`
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
            ${shown.map((row) => html`<tr>
              <td class="nowrap">${this.texts.moment(Date.parse(row.at) / 1000)}</td>
              <td>${this.texts.has(`kind_${row.kind}`) ? this.t(`kind_${row.kind}`) : row.kind}</td>
              <td class="mono">${row.target.join(", ") || "—"}</td>
              <td>
                <span class="code ${row.code === 200 ? "ok" : "error"}">${row.code}</span> ${row.meaning}
                ${row.message && row.code !== 200 ? html`<div class="muted">${row.message}</div>` : nothing}
              </td>
              <td class="nowrap">${this.t("milliseconds", { count: this.texts.number(row.milliseconds) })}</td>
            </tr>`)}
          </tbody>
        </table>
        ${shown.length === 0 ? html`<p class="empty">${this.t("nothing_found")}</p>` : nothing}
      </div>
    `;
  }
}

customElements.define("aliyun-commands-tab", CommandsTab);
