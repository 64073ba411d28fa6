// The messages of the connection, live: each reply can be found by the id of its request.

import { css, html, nothing, repeat } from "./vendor/lit.js";
import { shared } from "./styles.js";
import { Tab } from "./tab.js";

const KEPT = 500;
const TOPIC_HEAD = /^\/(sys|ext\/\w+)?\/?[^/]+\/[^/]+\//; // the part with the names of the device

class WireTab extends Tab {
  static properties = {
    ...Tab.properties,
    _messages: { state: true },
    _search: { state: true },
    _paused: { state: true },
    _open: { state: true },
    _left: { state: true },
    _copied: { state: true },
  };

  static styles = [
    shared,
    css`
      .message { border-bottom: 1px solid var(--divider-color); padding: 6px 8px; }
      .line { display: flex; gap: 8px; align-items: baseline; flex-wrap: wrap; border: 0; background: none; width: 100%;
        text-align: start; cursor: pointer; padding: 4px 0; }
      .up { color: var(--accent-text); }
      .down { color: var(--warning-text); }
      .matched { background: color-mix(in srgb, var(--primary-color) 12%, transparent); }
      pre { margin: 4px 0; overflow: auto; max-height: 320px; background: var(--secondary-background-color); padding: 8px; border-radius: 8px; }
      .topic { overflow-wrap: anywhere; }
    `,
  ];

  constructor() {
    super();
    this.feedType = "wire/subscribe";
    this._messages = [];
    this._search = "";
    this._paused = false;
    this._left = 0;
    this._number = 0;
    this._kept = [];
  }

  onEvent(event) {
    if (!event.messages) return;
    for (const message of event.messages) this._kept.unshift({ ...message, number: (this._number += 1) });
    this._kept.length = Math.min(this._kept.length, KEPT);
    this._left += event.left_out;
    if (!this._paused) this._messages = [...this._kept];
  }

  render() {
    const words = this._search.toLowerCase();
    const shown = this._messages.filter((each) => `${each.topic}\n${each.device}\n${each.text || each.hex || ""}`.toLowerCase().includes(words));
    return html`
      ${this.banner()}
      <div class="toolbar">
        <input class="grow" type="search" placeholder=${this.t("filter_messages")} aria-label=${this.t("filter_messages")}
          @input=${(event) => (this._search = event.target.value)} />
        <button class="button" aria-pressed=${this._paused} @click=${this._pause}>${this.t(this._paused ? "resume" : "pause")}</button>
        <button class="button" @click=${() => this._copy(shown)} ?disabled=${!shown.length}>${this.t("copy")}</button>
        <button class="button" @click=${this._clear}>${this.t("clear")}</button>
      </div>
      ${this._copied ? html`<p class="muted" role="status">${this.t("copied", { count: this.texts.number(this._copied) })}</p>` : nothing}
      ${this._left ? html`<p class="muted">${this.t("left_out", { count: this._left })}</p>` : nothing}
      ${shown.length
        ? repeat(shown, (message) => message.number, (message) => this._message(message))
        : html`<p class="empty" role="status">${this._messages.length ? this.t("nothing_found") : this.t("no_messages")}</p>`}
    `;
  }

  _message(message) {
    const open = this._open?.number === message.number;
    const matched = this._open && !open && this._open.message_id && message.message_id === this._open.message_id;
    return html`<div class="message ${matched ? "matched" : ""}">
      <button class="line" aria-expanded=${open} @click=${() => (this._open = open ? undefined : message)}>
        <span class="muted">${this.texts.moment(message.at)}</span>
        <span class=${message.up ? "up" : "down"}>${message.up ? `↑ ${this.t("up")}` : `↓ ${this.t("down")}`}</span>
        <span class="mono topic" title=${message.topic}>${message.topic.replace(TOPIC_HEAD, "/$1/…/").replace("//", "/")}</span>
        ${message.device ? html`<span>${message.device}</span>` : nothing}
        ${message.message_id ? html`<span class="muted mono">#${message.message_id}</span>` : nothing}
        <span class="muted">${this.t("bytes", { count: this.texts.number(message.size) })}</span>
      </button>
      ${open ? html`<pre class="mono" tabindex="0">${pretty(message)}</pre>` : nothing}
    </div>`;
  }

  _pause() {
    this._paused = !this._paused;
    if (!this._paused) this._messages = [...this._kept];
  }

  _clear() {
    this._kept = [];
    this._messages = [];
    this._left = 0;
    this._copied = 0;
  }

  async _copy(messages) {
    const lines = messages.map((each) => `${new Date(each.at * 1000).toISOString()} ${each.up ? "↑" : "↓"} ${each.topic} ${each.text || each.hex || ""}`);
    const text = lines.toReversed().join("\n");
    if (navigator.clipboard) await navigator.clipboard.writeText(text);
    else copyByHand(text, this.renderRoot);
    this._copied = messages.length;
  }
}

// Without HTTPS, browsers offer no clipboard.
function copyByHand(text, root) {
  const area = document.createElement("textarea");
  area.value = text;
  root.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}

function pretty(message) {
  if (message.text === null) return message.hex || "";
  return JSON.stringify(JSON.parse(message.text), null, 2);
}

customElements.define("aliyun-wire-tab", WireTab);
