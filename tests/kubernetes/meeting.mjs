/**
 * Two people, each in a browser of their own, meet in a room and read what the other has written.
 *   node tests/kubernetes/meeting.mjs ORIGIN ROOM
 * ROOM is its number. Their accounts are made first, so registration has to be open.
 */

import { launch } from "../browser/support/browser.mjs";
import { account, enter, signedIn, write } from "../browser/support/steps.mjs";

const [origin, room] = process.argv.slice(2);

/** Waits until the chat shows what somebody has said. */
const reads = (page, text) => page.locator('[role="log"] .message .text').getByText(text, { exact: true }).waitFor();

const run = process.pid;
const browsers = await Promise.all([launch(), launch()]);
try {
  const [ada, ben] = await Promise.all(
    ["Ada", "Ben"].map(async (name, at) => {
      const who = await account(origin, { name, email: `${name.toLowerCase()}-${run}@example.org` });
      return signedIn(browsers[at], origin, who);
    }),
  );
  await Promise.all([ada, ben].map(({ page }) => enter(page, { id: Number(room) })));
  await write(ada.page, "Good morning, Ben");
  await reads(ben.page, "Good morning, Ben");
  await write(ben.page, "Good morning, Ada");
  await reads(ada.page, "Good morning, Ada");
  for (const one of [ada, ben]) one.quiet();
} finally {
  await Promise.all(browsers.map((browser) => browser.close()));
}
