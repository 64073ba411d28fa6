// A subscription of the page that comes back by itself: after a lost connection, a restart of Home Assistant, or a browser
// that slept. Home Assistant's own way to subscribe again gives up if the integration is not ready yet.

const RETRY = 2000; // milliseconds

export class Feed {
  constructor(hass, message, onEvent) {
    this._connection = hass.connection;
    this._message = message;
    this._onEvent = onEvent;
    this._generation = 0;
    this._ready = () => this._subscribe();
    this._lost = () => onEvent({ offline: true });
    this._connection.addEventListener("ready", this._ready);
    this._connection.addEventListener("disconnected", this._lost);
    this._subscribe();
  }

  async _subscribe() {
    clearTimeout(this._timer);
    const generation = (this._generation += 1);
    const isCurrent = () => this._generation === generation;
    try {
      const unsubscribe = await this._connection.subscribeMessage(
        (event) => isCurrent() && this._onEvent(event), this._message, { resubscribe: false },
      );
      if (isCurrent()) this._unsubscribe = unsubscribe;
      else unsubscribe().catch(() => undefined);
    } catch (error) {
      if (!isCurrent()) return;
      this._onEvent({ error });
      this._timer = setTimeout(() => this._subscribe(), RETRY);
    }
  }

  close() {
    this._generation += 1;
    clearTimeout(this._timer);
    this._connection.removeEventListener("ready", this._ready);
    this._connection.removeEventListener("disconnected", this._lost);
    this._unsubscribe?.().catch(() => undefined);
    this._unsubscribe = undefined;
  }
}
