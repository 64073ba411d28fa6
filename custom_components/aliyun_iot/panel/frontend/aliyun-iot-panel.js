// The page: which device, which tab, and what all tabs share.

import { LitElement, css, html, nothing } from "./vendor/lit.js";
import "./bindings-tab.js";
import "./commands-tab.js";
import "./devices-tab.js";
import { Feed } from "./feed.js";
import { Texts } from "./i18n.js";
import "./model-tab.js";
import { shared } from "./styles.js";
import "./traffic-tab.js";
import "./wire-tab.js";

const TABS = ["bindings", "devices", "commands", "wire", "traffic", "model"];
const RETRY = 3000; // milliseconds

class AliyunIotPanel extends LitElement {
  static properties = {
    hass: { attribute: false },
    narrow: { type: Boolean },
    route: { attribute: false },
    panel: { attribute: false },
    _entries: { state: true },
    _texts: { state: true },
    _error: { state: true },
  };

  static styles = [
    shared,
    css`
      :host { display: flex; flex-direction: column; height: 100vh; height: 100dvh; box-sizing: border-box;
        padding-bottom: env(safe-area-inset-bottom); background: var(--primary-background-color); }
      header {
        flex: none; display: flex; align-items: center; gap: 8px; min-height: 56px; padding: 0 12px; flex-wrap: wrap;
        background: var(--app-header-background-color, var(--primary-color));
        color: var(--app-header-text-color, var(--text-primary-color, #fff));
      }
      header h1 { font-size: 1.2em; font-weight: 400; margin: 0; flex: 1 1 auto; }
      header select { background: transparent; border-color: currentColor; }
      header select option { color: var(--primary-text-color); background: var(--card-background-color); }
      .menu { border: 0; background: none; padding: 8px; cursor: pointer; display: flex; }
      nav { flex: none; display: flex; overflow-x: auto; background: var(--card-background-color); border-bottom: 1px solid var(--divider-color); }
      nav button {
        border: 0; border-bottom: 3px solid transparent; background: none; padding: 12px 16px; cursor: pointer; white-space: nowrap;
      }
      nav button[aria-selected="true"] { border-bottom-color: var(--primary-color); color: var(--accent-text); }
      main:focus-visible { outline-offset: -2px; }
      main { flex: 1 1 auto; min-height: 0; overflow: auto; }
      main > * { height: 100%; box-sizing: border-box; padding: 0 16px 16px; }
    `,
  ];

  connectedCallback() {
    super.connectedCallback();
    if (this.hass) this._open();
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this._feed?.close();
    this._feed = undefined;
    clearTimeout(this._retry);
  }

  willUpdate(changed) {
    if (!changed.has("hass")) return;
    if (!this._feed) this._open();
    else if (changed.get("hass") && changed.get("hass").language !== this.hass.language) this._loadTexts();
  }

  // Home Assistant sets `hass` with every change of any state.
  shouldUpdate(changed) {
    const before = changed.get("hass");
    return changed.size > 1 || !changed.has("hass") || !this._texts || before?.language !== this.hass.language;
  }

  _open() {
    this._loadTexts();
    this._feed = new Feed(this.hass, { type: "aliyun_iot/entries/subscribe" }, (event) => {
      if (event.entries) this._entries = event.entries;
      if (event.error && !this._entries) this._error = this._texts?.explained(event.error) || event.error.message;
    });
  }

  // On a phone not all tabs fit.
  updated() {
    this.renderRoot.querySelector("nav [aria-selected=true]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  async _loadTexts() {
    clearTimeout(this._retry);
    try {
      this._texts = await Texts.load(this.hass);
    } catch (error) {
      this._error = error.message || String(error);
      this._retry = setTimeout(() => this._loadTexts(), RETRY);
    }
  }

  // The path is /aliyun-iot/<entry>/<tab>, so that repairs and menus can link to it.
  get _where() {
    const [wanted, tab] = (this.route?.path || "").split("/").slice(1);
    // Not another device in place of one that was removed meanwhile.
    const shown = wanted ? this._entries.find((each) => each.entry_id === wanted) : this._entries[0];
    // Only a gateway has sub-devices, so the tab is there if there are some, or somebody asks for it.
    const tabs = TABS.filter((each) => each !== "devices" || shown?.gateway || tab === each);
    return { entry: shown, tabs, tab: tabs.includes(tab) ? tab : tabs[0] };
  }

  _go(entryId, tab) {
    history.replaceState(null, "", `${this.route?.prefix || "/aliyun-iot"}/${entryId}/${tab}`);
    window.dispatchEvent(new CustomEvent("location-changed", { detail: { replace: true } }));
  }

  render() {
    if (!this._texts || !this._entries) return html`<p class="empty" role="status">${this._error || "…"}</p>`;
    const t = (key, placeholders) => this._texts.t(key, placeholders);
    const { entry, tab, tabs } = this._where;
    return html`
      <header>
        ${this.narrow
          ? html`<button class="menu" aria-label=${t("menu")} @click=${this._toggleMenu}>
              <svg viewBox="0 0 24 24" width="24" height="24" fill="currentColor" aria-hidden="true">
                <path d="M3 6h18v2H3zm0 5h18v2H3zm0 5h18v2H3z" />
              </svg>
            </button>`
          : nothing}
        <h1>${t("title")}</h1>
        ${entry && this._entries.length > 1
          ? html`<select aria-label=${t("device")} .value=${entry.entry_id}
              @change=${(event) => this._go(event.target.value, tab)}>
              ${this._entries.map(
                (each) => html`<option value=${each.entry_id} ?selected=${each.entry_id === entry.entry_id}>${each.title}</option>`,
              )}
            </select>`
          : nothing}
      </header>
      ${entry
        ? html`
            <nav role="tablist" aria-label=${t("title")} @keydown=${this._arrow}>
              ${tabs.map(
                (each) => html`<button role="tab" id="tab-${each}" aria-selected=${each === tab} aria-controls="main"
                  tabindex=${each === tab ? 0 : -1} @click=${() => this._go(entry.entry_id, each)}>
                  ${t(`tab_${each}`)}
                </button>`,
              )}
            </nav>
            <main id="main" role="tabpanel" tabindex="0" aria-labelledby="tab-${tab}">${this._tab(tab, entry)}</main>
          `
        : this._noDevice(t)}
    `;
  }

  _noDevice(t) {
    if (!this._entries.length)
      return html`<p class="empty" role="status">${t("no_device")}
        <br /><a href="/config/integrations/dashboard/add?domain=aliyun_iot">${t("add_device")}</a></p>`;
    return html`<p class="empty" role="status">${t("error_not_found")}
      ${this._entries.map((each) => html`<br /><a href="/aliyun-iot/${each.entry_id}/${TABS[0]}">${each.title}</a>`)}</p>`;
  }

  _tab(tab, entry) {
    const { hass, _texts: texts } = this;
    const entryId = entry.entry_id;
    switch (tab) {
      case "devices":
        return html`<aliyun-devices-tab .hass=${hass} .texts=${texts} .entryId=${entryId}></aliyun-devices-tab>`;
      case "commands":
        return html`<aliyun-commands-tab .hass=${hass} .texts=${texts} .entryId=${entryId}></aliyun-commands-tab>`;
      case "wire":
        return html`<aliyun-wire-tab .hass=${hass} .texts=${texts} .entryId=${entryId}></aliyun-wire-tab>`;
      case "traffic":
        return html`<aliyun-traffic-tab .hass=${hass} .texts=${texts} .entryId=${entryId} .narrow=${this.narrow}>
        </aliyun-traffic-tab>`;
      case "model":
        return html`<aliyun-model-tab .hass=${hass} .texts=${texts} .entryId=${entryId}></aliyun-model-tab>`;
      default:
        return html`<aliyun-bindings-tab .hass=${hass} .texts=${texts} .entryId=${entryId} .narrow=${this.narrow}>
        </aliyun-bindings-tab>`;
    }
  }

  _toggleMenu() {
    this.dispatchEvent(new CustomEvent("hass-toggle-menu", { bubbles: true, composed: true }));
  }

  _arrow(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const { entry, tab, tabs } = this._where;
    const next = tabs[(tabs.indexOf(tab) + step + tabs.length) % tabs.length];
    this._go(entry.entry_id, next);
    this.updateComplete.then(() => this.renderRoot.querySelector(`#tab-${next}`)?.focus());
  }
}

customElements.define("aliyun-iot-panel", AliyunIotPanel);
