/** A short sound when somebody knocks: two soft tones, made here, so that nothing is loaded for it. */

/** @type {AudioContext | null} */
let context = null;

/** Makes the sound possible. Browsers allow it only once the person has acted on the page, as by pressing Join. */
export function prepareChime() {
  if (context !== null || typeof AudioContext === "undefined" || !navigator.userActivation?.hasBeenActive) return;
  context = new AudioContext();
}

/** Plays it, where the browser lets this page be heard. */
export function chime() {
  if (context?.state !== "running") return;
  tone(context, 587, 0);
  tone(context, 784, 0.14);
}

/**
 * @param {AudioContext} output
 * @param {number} frequency_hz
 * @param {number} delay_s
 */
function tone(output, frequency_hz, delay_s) {
  const begin_s = output.currentTime + delay_s;
  const oscillator = output.createOscillator();
  const volume = output.createGain();
  oscillator.frequency.value = frequency_hz;
  volume.gain.setValueAtTime(0, begin_s);
  volume.gain.linearRampToValueAtTime(0.12, begin_s + 0.02);
  volume.gain.exponentialRampToValueAtTime(0.001, begin_s + 0.35);
  oscillator.connect(volume).connect(output.destination);
  oscillator.start(begin_s);
  oscillator.stop(begin_s + 0.4);
}
