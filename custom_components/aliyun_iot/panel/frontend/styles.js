import { css } from "./vendor/lit.js";

export const shared = css`
  /* Colours of the theme are made for areas; as text, they need more contrast. */
  :host {
    display: block; color: var(--primary-text-color); font-family: var(--ha-font-family-body, Roboto, Noto, sans-serif);
    --accent-text: color-mix(in srgb, var(--primary-color) 60%, var(--primary-text-color));
    --good-text: color-mix(in srgb, var(--success-color, #43a047) 60%, var(--primary-text-color));
    --bad-text: color-mix(in srgb, var(--error-color) 60%, var(--primary-text-color));
    --warning-text: color-mix(in srgb, var(--warning-color, #ffa600) 50%, var(--primary-text-color));
  }
  button, select, input, textarea { font: inherit; color: inherit; }
  .button {
    border: 1px solid var(--divider-color); border-radius: 18px; background: var(--card-background-color);
    padding: 6px 14px; cursor: pointer; min-height: 36px; box-sizing: border-box; display: inline-flex; align-items: center;
    color: var(--primary-text-color); text-decoration: none;
  }
  a { color: var(--accent-text); }
  .button.primary { background: color-mix(in srgb, var(--primary-color) 75%, #000); color: var(--text-primary-color, #fff); border-color: transparent; }
  .button.danger { color: var(--bad-text); border-color: var(--error-color); }
  .button[disabled] { opacity: 0.5; cursor: default; }
  select, input:not([type="checkbox"]), textarea {
    border: 1px solid var(--outline-color, var(--secondary-text-color)); border-radius: 8px; padding: 6px 8px; min-height: 36px;
    background: var(--card-background-color); box-sizing: border-box; max-width: 100%;
  }
  input[type="checkbox"] { width: 16px; height: 16px; margin: 0; flex: none; accent-color: var(--primary-color); vertical-align: text-bottom; }
  :focus-visible { outline: 2px solid var(--primary-color); outline-offset: 1px; }
  .card {
    background: var(--card-background-color); border: 1px solid var(--divider-color);
    border-radius: var(--ha-card-border-radius, 12px); padding: 16px; margin: 0 0 16px;
  }
  .muted { color: var(--secondary-text-color); }
  .mono { font-family: var(--ha-font-family-code, ui-monospace, monospace); font-size: 0.9em; }
  .error { color: var(--bad-text); }
  .banner { margin: 8px 0 0; padding: 8px 12px; border-radius: 8px; border: 1px solid var(--warning-color, #ffa600);
    background: color-mix(in srgb, var(--warning-color, #ffa600) 15%, transparent); }
  .link { border: 0; background: none; padding: 0; cursor: pointer; text-decoration: underline; }
  .empty { padding: 32px 16px; text-align: center; color: var(--secondary-text-color); line-height: 1.6; }
  .toolbar { display: flex; flex-wrap: wrap; gap: 8px; align-items: center; padding: 8px 0; }
  .toolbar .grow { flex: 1 1 180px; }
  h2 { font-size: 1.1em; font-weight: 500; margin: 0 0 8px; }
  table { border-collapse: collapse; width: 100%; }
  .nowrap { white-space: nowrap; }
  th { text-align: start; font-weight: 500; color: var(--secondary-text-color); }
  th, td { padding: 6px 8px; border-bottom: 1px solid var(--divider-color); vertical-align: baseline; overflow-wrap: anywhere; }
  .scroll { overflow-x: auto; }
`;
