// A subscription of the page. Home Assistant subscribes again by itself after a lost connection.

export class Feed {
  constructor(hass, message, onEvent) {
    this._closed = false;
    this._unsubscribe = hass.connection.subscribeMessage((event) => this._closed || onEvent(event), message);
    this._unsubscribe.catch((error) => this._closed || onEvent({ error }));
  }

  close() {
    if (this._closed) return;
    this._closed = true;
    this._unsubscribe.then((unsubscribe) => unsubscribe()).catch(() => undefined);
  }
}
