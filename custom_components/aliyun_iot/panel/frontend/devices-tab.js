// The sub-devices of a gateway: whether each is online, since when, and why not.

import { css, html, nothing, repeat } from "./vendor/lit.js";
import { shared } from "./styles.js";
import { Tab } from "./tab.js";

class DevicesTab extends Tab {
  static properties = { ...Tab.properties, _devices: { state: true }, _search: { state: true }, _offline: { state: true } };

  static styles = [
    shared,
    css`
      .online { color: var(--good-text); font-weight: 500; }
      .offline { color: var(--bad-text); font-weight: 500; }
      @media (max-width: 600px) {
        thead { display: none; }
        tbody tr { display: grid; grid-template-columns: 1fr auto; padding: 6px 0; border-bottom: 1px solid var(--divider-color); }
        tbody td { border: 0; padding: 2px 8px; }
        tbody td.since { order: 2; text-align: end; }
        tbody td.bound { order: 1; }
        tbody td.found { order: 3; }
        tbody td.state { text-align: end; }
      }
    `,
  ];

  constructor() {
    super();
    this.feedType = "devices/subscribe";
    this._search = "";
    this._offline = false;
  }

  onEvent(event) {
    if (event.devices) this._devices = event.devices;
  }

  render() {
    if (!this._devices) return html`${this.banner()}<p class="empty" role="status">${this.t("loading")}</p>`;
    const all = Object.entries(this._devices).filter(([owner]) => owner);
    if (!all.length)
      return html`${this.banner()}<p class="empty">${this.t("no_sub_devices")}<br />
        <a href=${this.integrationPage}>${this.t("bind_there")}</a></p>`;
    const words = this._search.toLowerCase();
    const shown = all.filter(
      ([, device]) =>
        (!this._offline || !device.online) &&
        [device.title, device.product_key, device.device_name, device.why].join("\n").toLowerCase().includes(words),
    ).sort(([, one], [, other]) => this.texts.compare(one.title, other.title));
    const online = all.filter(([, device]) => device.online).length;
    return html`
      ${this.banner()}
      <div class="toolbar">
        <input class="grow" type="search" placeholder=${this.t("search")} aria-label=${this.t("search")}
          @input=${(event) => (this._search = event.target.value)} />
        <label><input type="checkbox" @change=${(event) => (this._offline = event.target.checked)} /> ${this.t("only_offline")}</label>
        <span class="muted" role="status">${this.t("devices_online", { online: this.texts.number(online), all: this.texts.number(all.length) })}</span>
      </div>
      <div class="scroll" tabindex="0" role="region" aria-label=${this.t("tab_devices")}>
        <table>
          <thead><tr>${["device", "online", "since", "bound", "problems"].map((column) => html`<th>${this.t(`column_${column}`)}</th>`)}</tr></thead>
          <tbody>${repeat(shown, ([owner]) => owner, ([owner, device]) => this._row(owner, device))}</tbody>
        </table>
        ${shown.length === 0 ? html`<p class="empty">${this.t("nothing_found")}</p>` : nothing}
      </div>
    `;
  }

  _row(owner, device) {
    return html`<tr>
      <td>${device.title}<div class="muted mono">${device.product_key} / ${device.device_name}</div></td>
      <td class="state">
        <span class=${device.online ? "online" : "offline"}>${this.t(device.online ? "device_online" : "device_offline")}</span>
        ${device.why ? html`<div class="muted">${device.why}</div>` : nothing}
      </td>
      <td class="nowrap since">${this.texts.moment(device.since)}</td>
      <td class="bound"><a href=${`/aliyun-iot/${this.entryId}/bindings?device=${owner}`} title=${this.t("show_bindings", { name: device.title })}>
        ${this.t("bound", { count: device.bound })}</a></td>
      <td class="found ${device.problems ? "error" : "muted"}">${device.problems
        ? this.t("problems", { count: device.problems }) : this.t("no_problems")}</td>
    </tr>`;
  }
}

customElements.define("aliyun-devices-tab", DevicesTab);
