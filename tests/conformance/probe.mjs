// What only an actor made for the test can bring about (conformancehost.cpp): answers, rows and events of any length, and
// an action that is held while the host stops.
import { existsSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { randomUUID } from "node:crypto";
import assert from "node:assert/strict";
import { client, drain, failure, finish, step, within } from "./official.mjs";

const kibibyte = 1024;
const fits = 500 * kibibyte;
const key = ["probe", "limits"];
const tooLong = "message.outgoing_too_long";

await step("answers that fit and those that are too long, over HTTP and on a connection", async () => {
    await client.getOrCreate("probe", key).revisions({});
    const connection = client.get("probe", key).connect();
    for (const handle of [client.get("probe", key), connection]) {
        assert.equal((await handle.answer({ bytes: fits })).length, fits - 2);
        for (const bytes of [513 * kibibyte, 700 * kibibyte, 3000 * kibibyte]) {
            assert.equal(await failure(handle.answer({ bytes })), tooLong);
            assert.equal((await handle.answer({ bytes: 100 })).length, 98); // it goes on
        }
        // RivetKit's own arrays are guarded on the way, and get longer: without guards both would fit.
        assert.equal(await failure(handle.arrays({ count: 52000 })), tooLong);
        assert.equal((await handle.arrays({ count: 51000 })).length, 51000);
    }
    await connection.dispose();
});

await step("a command whose answer is too long is not done", async () => {
    const connection = client.get("probe", key).connect();
    const before = await connection.revisions({});
    for (const handle of [client.get("probe", key), connection]) {
        assert.equal(await failure(handle.note({ requestId: randomUUID(), bytes: 600 * kibibyte })), tooLong);
        assert.equal(await failure(handle.row({ requestId: randomUUID(), id: "long", bytes: 600 * kibibyte })), tooLong);
    }
    assert.deepEqual(await connection.revisions({}), before);
    await connection.dispose();
});

await step("a row that fits is heard of, and found again", async () => {
    const connection = client.get("probe", key).connect();
    const heard = new Promise((resolve) => connection.on("overlay", (event) => resolve(event.upserts[0])));
    await connection.revisions({});
    await connection.row({ requestId: randomUUID(), id: "fits", bytes: 490 * kibibyte });
    const row = await within(10000, "the event", heard);
    assert.equal(row.value.draft.text.length, 490 * kibibyte);
    const page = await connection.changesSince({ topic: "overlay" });
    assert.deepEqual(page.upserts.find((one) => one.id === "fits"), row);
    await connection.dispose();
});

await step("an event that is too long is not left out silently", async () => {
    const connection = client.get("probe", key).connect();
    const told = new Promise((resolve) => connection.onError((error) => resolve(`${error.group}.${error.code}`)));
    connection.on("overlay", () => {});
    await connection.revisions({});
    await client.get("probe", key).announce({ bytes: 600 * kibibyte });
    assert.equal(await within(10000, "the reason", told), tooLong);
    await connection.dispose();
    assert.equal((await client.get("probe", key).answer({ bytes: 100 })).length, 98);
});

// The last: afterwards there is no host.
await step("a host that stops answers what has not begun with actor.stopping, and what has begun with its answer", async () => {
    const connection = client.get("probe", key).connect();
    const folder = mkdtempSync(`${tmpdir()}/probe-`);
    const before = await connection.revisions({});
    assert.ok(before.overlay);
    // It stays inside the actor until it is let go: until then nothing else begins, and the host cannot end.
    const held = connection.hold({ begun: `${folder}/begun`, release: `${folder}/release` });
    while (!existsSync(`${folder}/begun`))
        await new Promise((resolve) => setTimeout(resolve, 5));
    const late = () => Array.from({ length: 64 }, (_, n) =>
        failure(connection.row({ requestId: randomUUID(), id: `late ${n}`, bytes: 100 })));
    const waiting = late(); // behind it
    assert.equal((await drain()).status, 200);
    waiting.push(...late()); // and those that come when the host stops already
    assert.deepEqual(new Set(await Promise.all(waiting)), new Set(["actor.stopping"]));
    writeFileSync(`${folder}/release`, "");
    assert.equal(await within(10000, "what had begun", held), "held");
});

await finish();
