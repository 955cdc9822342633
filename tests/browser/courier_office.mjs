// Drives Chromium through what follows the doors: taking back, giving in at the office, saying what was wrong.
import { PICTURES, launch, newFound, takePhone } from "./courier_steps.mjs";

const { PHONE } = process.env;
const found = newFound();
const browser = await launch();
const { page, look, main, at, saidBy, go, open, askForCode, enterCode, prepare, sign, stand, kept, fact, doorOf } =
  await takePhone(browser, found);
process.on("uncaughtException", async (fault) => {
  console.error(
    fault,
    await page.evaluate(() => `${location.hash}\n${document.body.innerText}`).catch(String),
    found.faults,
  );
  await page.screenshot({ path: `${PICTURES}/courier-fault.png` }).catch(() => {});
  process.exit(1);
});

// Until the page is loaded anew nothing leaves the phone: the time to take it back does not run out.
const holdTime = () =>
  page.evaluate(() => {
    const at_ = Date.now();
    Date.now = () => at_;
  });
const reload = async () => {
  await page.reload();
  await page.waitForSelector("body[data-open]");
  await page.waitForTimeout(300);
};
const texts = (selector) => page.locator(selector).allInnerTexts();
const typs = async () => (await kept("queue")).map(({ typ }) => typ);

async function arrive() {
  await go("#/");
  await page.locator("a.stop.pickup.open").first().tap();
  await at("#/stop/");
  const door = await doorOf();
  await stand(door.job.point);
  await main().tap();
  await at("pickup");
  await main().tap();
  await at("papers");
  return door;
}

async function pickUp() {
  const door = await arrive();
  await main().tap();
  await at("seal");
  await page.fill("input[autocapitalize=characters]", "NS-004217");
  await page.waitForFunction(() => document.querySelector("video")?.readyState > 1);
  await page.waitForTimeout(300);
  await main().tap();
  await at("sign");
  await sign();
  await main().tap();
  await at("receipt");
  return door;
}

await open();
await askForCode(PHONE);
await enterCode(PHONE);
await prepare();
await main().tap();
await at("#/$");
await page.waitForSelector("a.stop.open");
await page.waitForFunction(() => !document.querySelector("#pill").classList.contains("waiting"), null, {
  timeout: 60_000,
});
await holdTime();

// Who comes back to the list finds the row that he tapped where it was.
const row = page.locator("a.stop.open").nth(10);
const topOf = async () => (await row.boundingBox()).y;
await row.scrollIntoViewIfNeeded();
found.stood = [await topOf()];
await row.tap();
await at("#/stop/");
await page.goBack();
await at("#/$");
await page.waitForTimeout(300); // until what is in sight is laid out
found.stood.push(await topOf());

// Two doors: the first is taken back only with the second, the second by itself.
const first = await pickUp();
await pickUp();
found.before = await typs();
await go(`#/stop/${first.id}`);
found.stopLinks = await texts("main .links > *");
await page.locator("main .links button").tap();
await page.waitForSelector("dialog");
found.also = await page.innerText("dialog");
await look("undo-also");
await page.locator("dialog .plain").tap();
found.kept = await typs();
await go("#/queue");
await look("queue-held");
found.titles = await texts(".log strong");
await page.locator("section > .log li button").last().tap();
await page.waitForFunction(() => document.querySelectorAll("section > .log li").length === 3);
found.after = await typs();
await pickUp();

// A paper is missing: its slip is found again, from the stop and from the queue.
const third = await arrive();
await page.locator(".step").first().tap();
await page.waitForTimeout(100);
await main().tap();
await at("failure/missing");
await page.locator("#action .second-action").tap();
await at("slip");
await go(`#/stop/${third.id}`);
found.slip = await page.locator("main .links a").first().getAttribute("href");
await page.locator("main .links a").first().tap();
await at("#/slip/");
await go("#/queue");
found.slipInQueue = await page.locator('.log a[href^="#/slip/"]').count();

// The office: which bags, what the clerk sees, and what a reload leaves.
await go("#/office");
found.nothingChosen = await main().innerText();
await look("office-bags");
await page.locator("main .choice").first().tap();
await page.waitForTimeout(150);
await main().tap();
await page.waitForSelector("dialog");
found.left = await page.innerText("dialog h2");
await look("bags-left");
await page.locator("dialog .main-action").tap();
await at("office/sign");
await go("#/office");
await main().tap();
await at("office/sign"); // not asked again
await go("#/office");
await page.locator("main .choice").nth(1).tap();
await page.waitForTimeout(150);
await main().tap();
await at("office/sign");
const owed = (await page.locator(".field .hint").innerText()).replace(/\D/g, "");
await page.locator(".choice").first().tap();
await page.fill("input[inputmode=numeric]", owed);
await page.waitForTimeout(200);
await reload();
await at("office/sign");
await page.waitForSelector("canvas.pad");
found.survives = [
  await page.locator(".choice input:checked").count(),
  (await page.inputValue("input[inputmode=numeric]")).replace(/\D/g, "") === owed,
];
found.listed = await texts("main .papers li");
await look("clerk-lists");
await holdTime();
await sign();
await main().tap();
await at("#/handed/");
await page.locator("#snack .snack-action").tap();
await at("office$");
await page.waitForTimeout(200);
found.stillChosen = await page.locator("main input:checked").count();
found.nothingGivenIn = (await kept("queue")).filter(({ fields }) => fields.by).length;
await main().tap();
await at("office/sign");
await page.waitForSelector("canvas.pad");
found.notSigned = await saidBy(() => main().tap());
await sign();
await main().tap();
await at("#/handed/");
found.given = (await kept("queue"))
  .filter(({ fields }) => fields.by)
  .map(({ counter, typ, subject }) => [counter, typ, subject.together]);
await look("handed-record");
found.record = await texts("main .papers li");
found.recordLinks = await texts("main .links > *");
await page.locator('main a[href^="#/receipt/"]').first().tap();
await at("#/receipt/");
await look("receipt-bag");
await main().tap();
await at("#/handed/");
await main().tap();
await at("office$");
found.today = await texts(".log li");

// All has left: what is wrong is told, and what was begun survives a reload and a day fetched anew.
await reload();
await page.waitForFunction(() => !document.querySelector("#pill").classList.contains("waiting"), null, {
  timeout: 90_000,
});
await go(`#/stop/${first.id}`);
found.linksAfter = await texts("main .links > *");
const [{ id }] = (await kept("done"))
  .filter(({ subject }) => subject?.stop === first.id)
  .filter(({ typ }) => typ === "custody.handover");
const begun = async () => [
  await page.locator(".choice input:checked").count(),
  await page.inputValue("textarea"),
  await page.locator("img.taken").count(),
];
await go(`#/remark/${id}`);
await page.locator(".choice").nth(2).tap();
await page.fill("textarea", "Thu thừa 5.000 đồng");
await page.locator("main .second-action").tap();
await page.waitForFunction(() => document.querySelector("dialog video")?.readyState > 1);
await page.waitForTimeout(300);
await page.locator("dialog .main-action").tap();
await page.waitForSelector("img.taken");
await go("#/queue");
await reload();
await go("#/ready");
const fetched = JSON.stringify(await fact("prepared"));
await page
  .locator("button", { hasText: /Tải lại|Download again/ })
  .first()
  .tap();
for (let tries = 0; tries < 100 && JSON.stringify(await fact("prepared")) === fetched; tries += 1)
  await page.waitForTimeout(200);
found.fetchedAgain = JSON.stringify(await fact("prepared")) !== fetched;
await go(`#/remark/${id}`);
await page.waitForSelector("textarea");
found.begun = await begun();
await look("remark-begun");
found.drafts = await page.evaluate(async (one) => {
  const js = (name) =>
    import(document.querySelector('link[href$="js/device/store.js"]').href.replace("device/store.js", name));
  const [{ openDatabase }, { forgetRounds }] = await Promise.all([js("device/store.js"), js("app/shift/snapshot.js")]);
  const database = await openDatabase();
  const rounds = (await database.facts.toArray())
    .filter(({ key }) => key.startsWith("round:"))
    .map(({ value }) => value.round.id);
  const names = () => database.drafts.toCollection().primaryKeys();
  await database.drafts.put({ stop: "office", value: { bags: {}, at: Date.now() } });
  await forgetRounds(database, rounds);
  const same = await names();
  await forgetRounds(database, rounds, Date.now() + 24 * 3_600_000);
  const tomorrow = await names();
  await database.done.delete(one);
  await forgetRounds(database, rounds);
  return { same, tomorrow, forgotten: await names() };
}, id);
found.remark = `remark:${id}`;
console.log(JSON.stringify(found));
await browser.close();
