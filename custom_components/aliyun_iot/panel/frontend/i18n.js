// The texts of the page, from the translation files of the integration, and values in the user's language.

const PREFIX = "component.aliyun_iot.common.panel_";

export class Texts {
  constructor(resources, hass) {
    this._resources = resources;
    this.language = hass.language;
    const { time_format: format, time_zone: zone } = hass.locale || {};
    // As Home Assistant decides it.
    const evening = new Date(2023, 0, 1, 22).toLocaleTimeString(format === "system" ? undefined : this.language);
    const amPm = format === "12" || (format !== "24" && evening.includes("10"));
    const common = {
      hour: amPm ? "numeric" : "2-digit",
      hourCycle: amPm ? "h12" : "h23",
      timeZone: zone === "server" ? hass.config.time_zone : undefined,
    };
    const time = { minute: "2-digit", second: "2-digit", ...common };
    this._time = new Intl.DateTimeFormat(this.language, time);
    this._date = new Intl.DateTimeFormat(this.language, { month: "numeric", day: "numeric", ...time });
    this._day = new Intl.DateTimeFormat(this.language, { dateStyle: "short", timeZone: common.timeZone });
    this._hour = new Intl.DateTimeFormat(this.language, { weekday: "short", ...common });
    this._list = new Intl.ListFormat(this.language, { type: "conjunction" });
    this._number = new Intl.NumberFormat(this.language);
    this.compare = new Intl.Collator(this.language, { numeric: true }).compare;
  }

  static async load(hass) {
    const { resources } = await hass.callWS({
      type: "frontend/get_translations",
      language: hass.language,
      category: "common",
      integration: ["aliyun_iot"],
    });
    return new Texts(resources, hass);
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

  // An error of a websocket command.
  explained(error) {
    return this.has(`error_${error.code}`) ? this.t(`error_${error.code}`) : error.message || String(error);
  }

  // `seconds` since the epoch; the date is shown only where it is not today.
  moment(seconds) {
    if (seconds === null || seconds === undefined) return "";
    const at = new Date(seconds * 1000);
    return this._day.format(at) === this._day.format(new Date()) ? this._time.format(at) : this._date.format(at);
  }

  hour(milliseconds) {
    return this._hour.format(milliseconds);
  }

  list(names) {
    return this._list.format(names);
  }

  number(value) {
    return this._number.format(value);
  }

  value(value) {
    if (value === null || value === undefined) return "—";
    return typeof value === "object" ? JSON.stringify(value) : String(value);
  }
}
