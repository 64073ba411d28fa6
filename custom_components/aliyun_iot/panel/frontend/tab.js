// What all tabs have in common: the device, its texts, and a subscription that follows the device.

import { LitElement, html, nothing } from "./vendor/lit.js";
import { Feed } from "./feed.js";

export class Tab extends LitElement {
  static properties = {
    hass: { attribute: false },
    texts: { attribute: false },
    entryId: { attribute: false },
    _trouble: { state: true },
  };

  // Home Assistant sets `hass` with every change of any state; a tab does not depend on them.
  shouldUpdate(changed) {
    return changed.size > 1 || !changed.has("hass");
  }

  willUpdate(changed) {
    if (changed.has("entryId") || changed.has("texts")) this.open();
  }

  connectedCallback() {
    super.connectedCallback();
    if (this.entryId && this.texts) this.open();
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this.close();
  }

  // A tab that shows something live says what to subscribe to; another one overrides `open`.
  open() {
    this.close();
    this._feed = new Feed(this.hass, this.message(this.feedType), (event) => {
      if (event.offline) this._trouble = this.t("offline_page");
      else if (event.error) this._trouble = this.explained(event.error);
      else {
        this._trouble = undefined;
        this.onEvent(event);
      }
    });
  }

  close() {
    this._feed?.close();
    this._feed = undefined;
  }

  message(type, more = {}) {
    return { type: `aliyun_iot/${type}`, entry_id: this.entryId, language: this.texts.language, ...more };
  }

  call(type, more) {
    return this.hass.callWS(this.message(type, more));
  }

  t(key, placeholders) {
    return this.texts.t(key, placeholders);
  }

  explained(error) {
    return this.texts.explained(error);
  }

  // Why what is shown may be old.
  banner() {
    return this._trouble ? html`<p class="banner" role="alert">${this._trouble}</p>` : nothing;
  }

  get integrationPage() {
    return `/config/integrations/integration/aliyun_iot#config_entry=${this.entryId}`;
  }
}
