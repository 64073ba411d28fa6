// What was entered in a field for a number: undefined if it is empty. What is no number is sent as well, for Home Assistant to
// say so in the language of the page, which may not be that of the browser.
export function numberIn(input) {
  if (input.validity.badInput) return "?";
  return input.value === "" ? undefined : Number(input.value);
}
