// The texts of the page, from the translation files of the integration, and values in the user's language.

const PREFIX = "component.aliyun_iot.common.panel_";

export class Texts {
  constructor(resources, language) {
    this._resources = resources;
    this.language = language;
    this._time = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
    this._date = new Intl.DateTimeFormat(language, {
      month: "numeric", day: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit",
    });
    this._number = new Intl.NumberFormat(language);
  }

  static async load(hass) {
    const { resources } = await hass.callWS({
      type: "frontend/get_translations",
      language: hass.language,
      category: "common",
      integration: ["aliyun_iot"],
    });
    return new Texts(resources, hass.language);
  }

  t(key, placeholders = {}) {
    const text = this._resources[PREFIX + key];
    if (text === undefined) {
      console.error(`aliyun_iot: no text for ${key}`);
      return key;
    }
    return text.replace(/\{(\w+)\}/g, (whole, name) => (name in placeholders ? String(placeholders[name]) : whole));
  }

  has(key) {
    return PREFIX + key in this._resources;
  }

  // `seconds` since the epoch; the date is shown only where it is not today.
  moment(seconds) {
    if (seconds === null || seconds === undefined) return "";
    const at = new Date(seconds * 1000);
    return at.toDateString() === new Date().toDateString() ? this._time.format(at) : this._date.format(at);
  }

  number(value) {
    return this._number.format(value);
  }

  value(value) {
    if (value === null || value === undefined) return "—";
    return typeof value === "object" ? JSON.stringify(value) : String(value);
  }
}
