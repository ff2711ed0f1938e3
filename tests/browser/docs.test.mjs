/** The documentation pages open under their own policy, with nothing from elsewhere. */

import { after, before, test } from "node:test";

import { launch, screenshot, visitor } from "./support/browser.mjs";
import { startServer } from "./support/server.mjs";

let server, browser;

before(async () => {
  server = await startServer();
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

for (const [path, shown] of [
  ["/docs", "#swagger-ui .opblock"],
  ["/redoc", "#redoc [data-section-id] h2"],
]) {
  test(`${path} shows every operation without a complaint`, async () => {
    const { page, context, origin, quiet } = await visitor(browser, `http://127.0.0.1:${server.port}`);
    const elsewhere = [];
    page.on("request", (request) => {
      if (!request.url().startsWith(origin) && !/^(blob|data):/.test(request.url())) elsewhere.push(request.url());
    });
    await page.goto(path);
    await page.locator(shown).first().waitFor();
    await page.getByText("Send a message").filter({ visible: true }).first().waitFor();
    await page.waitForLoadState("networkidle");
    await screenshot(page, `docs${path.replace("/", "-")}`);
    quiet();
    if (elsewhere.length) throw new Error(`asked elsewhere: ${elsewhere}`);
    await context.close();
  });
}
