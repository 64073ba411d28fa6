// How many messages were exchanged, hour by hour, and what the month adds up to.

import { css, html, nothing, svg } from "./vendor/lit.js";
import { shared } from "./styles.js";
import { Tab } from "./tab.js";

const HOURS = 48;
const REFRESH = 30000; // milliseconds
const HEIGHT = 220;
const COLORS = ["#1976d2", "#8e24aa", "#00897b", "#757575", "#ef6c00", "#9e9d24"];

class TrafficTab extends Tab {
  static properties = { ...Tab.properties, narrow: { type: Boolean }, _data: { state: true }, _error: { state: true } };

  static styles = [
    shared,
    css`
      .numbers { display: flex; flex-wrap: wrap; gap: 12px 32px; margin: 16px 0; }
      .numbers strong { font-size: 1.6em; font-weight: 400; display: block; }
      svg { width: 100%; height: auto; display: block; }
      .legend { display: flex; flex-wrap: wrap; gap: 16px; margin-top: 8px; }
      .legend i { display: inline-block; width: 12px; height: 12px; border-radius: 3px; margin-inline-end: 6px; }
      line { stroke: var(--divider-color); }
      th:last-child, td:last-child { text-align: end; white-space: nowrap; }
      text { fill: var(--secondary-text-color); font-size: 13px; }
    `,
  ];

  open() {
    this.close();
    this._load();
    this._timer = setInterval(() => this._load(), REFRESH);
  }

  close() {
    clearInterval(this._timer);
  }

  async _load() {
    try {
      this._data = await this.call("traffic");
      this._error = undefined;
    } catch (error) {
      this._error = this.explained(error);
    }
  }

  render() {
    if (!this._data) return html`<p class="empty" role="status">${this._error || this.t("loading")}</p>`;
    const { month, busiest } = this._data;
    return html`
      ${this._error ? html`<p class="banner" role="alert">${this._error}</p>` : nothing}
      <div class="numbers">
        <div><strong>${this.texts.number(month.messages)}</strong>${this.t("this_month")}</div>
        <div><strong>${month.projected === null ? "—" : this.texts.number(month.projected)}</strong>${this.t(month.projected === null ? "projected_later" : "projected")}</div>
        ${month.quota ? html`<div><strong>${this.texts.number(month.quota)}</strong>${this.t("quota")}</div>` : nothing}
      </div>
      <div class="card"><h2>${this.t("by_hour")}</h2>${this._chart()}</div>
      <div class="card">
        <h2>${this.t("busiest")}</h2>
        ${busiest.length
          ? html`<table><thead><tr><th>${this.t("column_name")}</th><th>${this.t("values_sent")}</th></tr></thead>
              <tbody>${busiest.map((each) => html`<tr><td>${each.device ? `${each.device} · ` : ""}${each.name} <span class="mono muted">${each.name === each.identifier ? "" : each.identifier}</span></td><td>${this.texts.number(each.sent)}</td></tr>`)}</tbody></table>`
          : html`<p class="empty">${this.t("nothing_sent")}</p>`}
      </div>
    `;
  }

  _chart() {
    const { kinds, hours } = this._data;
    const counts = new Map(hours);
    const present = Math.floor(Date.now() / 3600000);
    const shown = Array.from({ length: HOURS }, (_, index) => present - HOURS + 1 + index);
    const sum = (hour) => (counts.get(hour) || []).reduce((one, other) => one + other, 0);
    const top = Math.max(1, ...shown.map(sum));
    const width = this.narrow ? 440 : 960;
    const step = width / HOURS;
    const every = this.narrow ? 16 : 8;
    const name = (hour) => this.texts.hour(hour * 3600000);
    return html`<div>
      <svg viewBox="0 0 ${width} ${HEIGHT + 24}" role="img" aria-label=${this.t("most_in_an_hour", { count: this.texts.number(top) })}>
        <text x="0" y="12">${this.texts.number(top)}</text>
        <line x1="0" x2=${width} y1=${HEIGHT} y2=${HEIGHT} />
        ${shown.map((hour, index) => {
          let above = HEIGHT;
          return svg`<g><title>${name(hour)}: ${this.texts.number(sum(hour))}${kinds
              .map((kind, index) => (counts.get(hour)?.[index] ? `\n${this.t(`traffic_${kind}`)}: ${this.texts.number(counts.get(hour)[index])}` : ""))
              .join("")}</title>
            ${(counts.get(hour) || []).map((count, kind) => {
              const height = (count / top) * (HEIGHT - 20);
              above -= height;
              return svg`<rect x=${index * step + 1} y=${above} width=${step - (this.narrow ? 1 : 2)} height=${height} fill=${COLORS[kind]}></rect>`;
            })}
            ${index % every === every / 2 ? svg`<text x=${index * step} y=${HEIGHT + 18} text-anchor="middle">${name(hour)}</text>` : ""}</g>`;
        })}
      </svg></div>
      <div class="legend">${kinds.map((kind, index) => html`<span><i style="background:${COLORS[index]}"></i>${this.t(`traffic_${kind}`)}</span>`)}</div>`;
  }
}

customElements.define("aliyun-traffic-tab", TrafficTab);
