// Drives a running foundry-host with one of the official RivetKit clients. Each step prints a line; the first failure
// ends it with exit code 1.
import { execFileSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { randomUUID } from "node:crypto";
import assert from "node:assert/strict";
import { client, createClient, drain, failure, finish, name, step, token, within, withToken } from "./official.mjs";

const user = ["user", "local"];

let madeTask; // of the step that makes one, for those after it

await step("getOrCreate and an action", async () => {
    const who = await client.getOrCreate("app", ["app"]).whoami();
    assert.equal(who.userId, "local");
    assert.ok(who.hostVersion);
});

await step("get and a read", async () => {
    const page = await client.get("user", user).changesSince({ topic: "app" });
    assert.ok(page.upserts.some((row) => row.type === "User" && row.id === "local"));
    assert.ok(page.upserts.some((row) => row.type === "Organization" && row.id === "local"));
});

await step("an action without a result worth naming", async () => {
    assert.deepEqual(await client.get("user", user).listSignIns(), []);
});

await step("errors with group and code over HTTP", async () => {
    assert.equal(await failure(client.get("user", user).setUnread({ taskId: "t" })), "input.invalid");
    assert.equal(await failure(client.get("app", ["app"]).createOrganization({ requestId: randomUUID(), name: " " })), "input.invalid");
    assert.match(await failure(client.get("user", user).noSuchAction()), /^actor\.action_not_found$/);
});

await step("a key that does not exist", async () => {
    // The 2.1 and 2.2 clients make their own words of it.
    const code = await failure(client.get("task", ["org", "local", "task", "r", randomUUID()]).revisions());
    assert.match(code, /^actor\.not_found$/);
});

await step("values that look like RivetKit's own", async () => {
    const requestId = randomUUID();
    const taskId = `$BigInt-${requestId}`;
    const answer = await client.get("user", user).setUnread({ requestId, taskId, unread: true });
    assert.equal(answer.id, taskId);
});

await step("connect, errors on the connection", async () => {
    const connection = client.get("user", user).connect();
    assert.equal(await failure(connection.setUnread({ taskId: "t" })), "input.invalid");
    assert.deepEqual(await connection.listSignIns(), []);
    await connection.dispose();
});

// Every refusal with its own code, over HTTP and on a connection alike; after each the client goes on.
await step("error codes of what is refused", async () => {
    const connection = client.get("user", user).connect();
    for (const handle of [client.get("user", user), connection]) {
        assert.equal(await failure(handle.noSuchAction({})), "actor.action_not_found");
        assert.equal(await failure(handle.setUnread()), "input.invalid"); // no argument at all
        assert.equal(await failure(handle.setUnread("text")), "input.invalid");
        assert.equal(await failure(handle.setUnread({ requestId: randomUUID(), taskId: 7, unread: true })), "input.invalid");
        assert.equal(await failure(handle.setUnread({ requestId: randomUUID(), unread: true })), "input.invalid");
        assert.equal(await failure(handle.setUnread({ requestId: "x".repeat(300), taskId: "t", unread: true })), "input.invalid");
        assert.deepEqual(await handle.listSignIns(), []);
    }
    // A request id belongs to one command.
    const requestId = randomUUID();
    await connection.setUnread({ requestId, taskId: "t", unread: true });
    assert.equal(await failure(connection.setSeen({ requestId, taskId: "t", at: 1 })), "state.conflict");
    await connection.dispose();
    assert.equal(await failure(client.get("app", ["app"]).beginSignIn({ requestId: randomUUID() })), "state.not_available");
});

await step("actors that nobody made, and those of others", async () => {
    // At the same time: the newest client asks each many times over before it believes it. What belongs to somebody
    // else is refused before anybody looks whether it is there.
    const wanted = [
        ["actor.not_found", "nosuch", ["x"]],
        ["actor.not_found", "task", ["org", "local", "task", "r", randomUUID()]],
        ["auth.forbidden", "user", ["user", "somebody"]],
        ["actor.not_found", "organization", ["org", randomUUID()]],
        ["auth.forbidden", "organization", ["org"]],
    ];
    const met = wanted.map(([, name, key]) => failure(client.getOrCreate(name, key).revisions({})));
    assert.deepEqual(await Promise.all(met), wanted.map(([code]) => code));
});

await step("messages that are too long", async () => {
    const draft = { text: "x".repeat(200 * 1024), attachments: [] };
    const long = () => ({ requestId: randomUUID(), taskId: "t", sessionId: "s", draft });
    assert.equal(await failure(client.get("user", user).updateDraft(long())), "message.incoming_too_long");
    assert.deepEqual(await client.get("user", user).listSignIns(), []);
    // On a connection its cause is told, the connection ends, and the client makes another.
    for (const kibibytes of [60, 150, 300, 3000]) {
        const connection = client.get("user", user).connect();
        const told = new Promise((resolve) => connection.onError((error) => resolve(`${error.group}.${error.code}`)));
        await connection.revisions({});
        const call = { ...long(), draft: { text: "x".repeat(kibibytes * 1024), attachments: [] } };
        assert.equal(await failure(Promise.race([connection.updateDraft(call), told.then((code) => {
            const [group, rest] = code.split(".");
            throw Object.assign(new Error(code), { group, code: rest });
        })])), "message.incoming_too_long");
        await connection.dispose();
    }
    const connection = client.get("user", user).connect();
    assert.deepEqual(await connection.listSignIns(), []);
    await connection.dispose();
});

await step("creating twice is one effect or a conflict", async () => {
    const organization = client.get("organization", ["org", "local"]);
    const [repoId, requestId] = [randomUUID(), randomUUID()];
    const first = await organization.addRepository({ requestId, repoId, path: tmpdir() });
    assert.deepEqual(await organization.addRepository({ requestId, repoId, path: tmpdir() }), first);
    assert.match(await failure(organization.addRepository({ requestId: randomUUID(), repoId, path: tmpdir() })), /^(state\.conflict|input\.invalid)$/);
    await organization.removeRepository({ requestId: randomUUID(), repoId });
    assert.equal(await failure(organization.createTask({ requestId: randomUUID(), taskId: randomUUID(), sessionId: randomUUID(), repoId })), "input.invalid");
    for (const action of ["archiveTask", "unarchiveTask", "previewDelete", "deleteTask", "restoreTask"])
        assert.equal(await failure(organization[action]({ requestId: randomUUID(), taskId: "none" })), "input.invalid");
});

await step("more connections than a token may have", async () => {
    const open = [];
    for (let n = 0; n < 64; ++n)
        open.push(client.get("user", user).connect());
    await Promise.all(open.map((connection) => connection.listSignIns()));
    const oneMore = client.get("user", user).connect();
    const told = new Promise((resolve) => oneMore.onError((error) => resolve(`${error.group}.${error.code}`)));
    assert.equal(await within(10000, "the refusal", told), "actor.overloaded");
    assert.deepEqual(await client.get("user", user).listSignIns(), []); // nobody else is disturbed
    assert.deepEqual(await open[0].listSignIns(), []);
    await oneMore.dispose();
    await open.pop().dispose();
    // Into the place that got free, as soon as the host has seen that it is.
    const next = async () => {
        const connection = client.get("user", user).connect();
        const came = await within(2000, "a connection", connection.listSignIns()).then(() => true, () => false);
        await connection.dispose();
        return came;
    };
    let came = false;
    for (let n = 0; n < 10 && !came; ++n)
        came = await next();
    assert.ok(came);
    await Promise.all(open.map((connection) => connection.dispose()));
});

await step("an actor that is there already", async () => {
    assert.equal(await failure(client.create("user", user)), "actor.duplicate_key");
});

await step("a repository that is not checked yet, and one without a commit", async () => {
    const folder = mkdtempSync(`${tmpdir()}/repository-`);
    execFileSync("git", ["-C", folder, "init", "-q"]);
    const organization = client.get("organization", ["org", "local"]).connect();
    const repoId = randomUUID();
    const checked = new Promise((resolve) => organization.on("organization", (event) => {
        const row = event.upserts?.find((upsert) => upsert.type === "Repository" && upsert.id === repoId);
        if (row?.value.error)
            resolve(`${row.value.error.group}.${row.value.error.code}`);
    }));
    await organization.revisions({});
    const ids = { taskId: randomUUID(), sessionId: randomUUID(), repoId };
    const added = organization.addRepository({ requestId: randomUUID(), repoId, path: folder });
    const early = failure(organization.createTask({ requestId: randomUUID(), ...ids, agent: "runner", prompt: { text: "x" } }));
    await added;
    assert.equal(await early, "state.not_ready");
    assert.equal(await within(15000, "the check", checked), "git.empty_repository");
    await organization.removeRepository({ requestId: randomUUID(), repoId });
    await organization.dispose();
});

await step("subscribe and 500 events to the end, nothing twice, nothing missing", async () => {
    const connection = client.getOrCreate("user", user).connect();
    const wanted = 500;
    const seen = [];
    const session = randomUUID();
    const all = new Promise((resolve) => {
        connection.on("overlay", (event) => {
            seen.push(event);
            if (event.upserts[0].id === session && event.upserts[0].value.draft.text === `draft ${wanted}`)
                resolve();
        });
    });
    const before = (await connection.revisions({})).overlay; // its answer proves that the subscription is active
    const other = client.get("user", user);
    for (let i = 1; i <= wanted; i += 25) {
        await Promise.all(Array.from({ length: Math.min(25, wanted + 1 - i) }, (_, n) =>
            connection.updateDraft({ requestId: randomUUID(), taskId: "t", sessionId: session, draft: { text: `draft ${i + n}`, attachments: [] } })));
    }
    const again = randomUUID();
    const fresh = randomUUID();
    const first = await other.setUnread({ requestId: again, taskId: fresh, unread: true });
    assert.deepEqual(await other.setUnread({ requestId: again, taskId: fresh, unread: true }), first); // the same answer, one effect
    await within(20000, "the last event", all);
    const after = (await connection.revisions({})).overlay;
    assert.equal(after.generation, before.generation);
    assert.equal(after.revision, before.revision + wanted + 1);
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.deepEqual(seen.map((event) => event.revision), Array.from({ length: wanted + 1 }, (_, i) => before.revision + 1 + i));
    const page = await other.changesSince({ topic: "overlay", generation: before.generation, revision: before.revision });
    assert.equal(page.full, false);
    assert.equal(page.upserts.find((row) => row.id === session).value.draft.text, `draft ${wanted}`);
    await connection.dispose();
});

await step("a subscription that ended gets nothing more", async () => {
    const connection = client.getOrCreate("user", user).connect();
    let count = 0;
    const taskId = randomUUID();
    const off = connection.on("overlay", () => { count += 1; });
    await connection.setUnread({ requestId: randomUUID(), taskId, unread: true });
    await connection.revisions({});
    assert.equal(count, 1);
    off();
    await connection.revisions({});
    await connection.setUnread({ requestId: randomUUID(), taskId, unread: false });
    await connection.revisions({});
    assert.equal(count, 1);
    await connection.dispose();
});

await step("a task from its prompt to the end of its turn, by its events", async () => {
    const folder = mkdtempSync(`${tmpdir()}/repository-`);
    const git = (...args) => execFileSync("git", ["-C", folder, "-c", "user.name=T", "-c", "user.email=t@example.org", ...args]);
    git("init", "-q", "-b", "main");
    writeFileSync(`${folder}/README.md`, "hello\n");
    git("add", ".");
    git("commit", "-q", "-m", "first");

    const [repoId, taskId, sessionId] = [randomUUID(), randomUUID(), randomUUID()];
    const organization = client.getOrCreate("organization", ["org", "local"]).connect();
    const repositoryReady = new Promise((resolve, reject) => organization.on("organization", (event) => {
        const row = event.upserts?.find((upsert) => upsert.type === "Repository" && upsert.id === repoId);
        if (row?.value.state === "ready")
            resolve();
        if (row?.value.state === "error")
            reject(new Error(row.value.error.message));
    }));
    await organization.revisions({});
    await organization.addRepository({ requestId: randomUUID(), repoId, path: folder });
    await within(15000, "the repository", repositoryReady);
    const made = await organization.createTask({ requestId: randomUUID(), taskId, sessionId, repoId, agent: "runner",
        prompt: { text: "/run echo conformance" } });
    assert.equal(made.task.id, taskId);
    assert.ok(made.task.value.title && made.task.value.branch);

    // At once after the answer the task is there. Its transcript is put together from the pages and the events alone.
    const key = ["org", "local", "task", repoId, taskId];
    const task = client.get("task", key).connect();
    const topic = `session/${sessionId}`;
    const entries = new Map();
    let asked = false;
    const ended = new Promise((resolve, reject) => {
        const apply = (rows) => {
            for (const row of rows) {
                entries.set(row.id, row.value);
                const permission = row.value.permission;
                if (row.value.kind === "permission" && !permission.answer && !asked) {
                    asked = true;
                    const allow = permission.options.find((option) => option.kind === "allow_once");
                    task.answerPermission({ requestId: randomUUID(), sessionId, permissionRequestId: permission.requestId,
                        optionId: allow.id }).catch(reject);
                }
                if (row.value.kind === "turn_end")
                    resolve(row.value);
            }
        };
        task.on(topic, (event) => {
            apply(event.upserts ?? []);
            for (const piece of event.append ?? []) {
                const entry = entries.get(String(piece.index));
                if (!entry)
                    continue;
                assert.equal(Buffer.byteLength(entry.text), piece.offset);
                entry.text += piece.text;
            }
        });
        task.getTranscript({ sessionId, limit: 100 }).then((page) => apply(page.entries), reject);
    });
    const end = await within(20000, "the end of the turn", ended);
    assert.ok(asked);
    assert.equal(end.kind, "turn_end");
    assert.equal(await failure(task.findFiles({ query: "x".repeat(20000), limit: 10 })), "input.too_large");
    assert.equal(await failure(task.sendMessage({ requestId: randomUUID(), queueId: randomUUID(), sessionId: randomUUID(), prompt: { text: "x" } })),
        "input.invalid");
    await task.revisions({});
    const page = await task.getTranscript({ sessionId, limit: 500 });
    assert.deepEqual([...entries.keys()].map(Number).sort((a, b) => a - b), page.entries.map((row) => Number(row.id)));
    for (const row of page.entries)
        assert.deepEqual(entries.get(row.id), row.value);
    await task.dispose();
    await organization.dispose();
    madeTask = key;
});

await step("a task that is archived, deleted and restored", async () => {
    const key = madeTask;
    const [, , , repoId, taskId] = key;
    const organization = client.getOrCreate("organization", ["org", "local"]).connect();
    const waiting = [];
    organization.on("organization", (event) => {
        for (const one of waiting.splice(0))
            (one.wanted(event) ? one.resolve() : waiting.push(one));
    });
    const seen = (wanted) => new Promise((resolve) => waiting.push({ wanted, resolve }));
    const status = (text) => seen((event) => event.upserts?.some((row) => row.type === "TaskSummary" && row.id === taskId && row.value.status === text));
    await organization.revisions({});
    const archived = status("archived");
    const { job } = await organization.archiveTask({ requestId: randomUUID(), taskId });
    assert.equal(job.value?.kind ?? job.kind, "archive");
    await within(20000, "archived", archived);
    const refused = { requestId: randomUUID(), queueId: randomUUID(), sessionId: "s", prompt: { text: "more" } };
    assert.equal(await failure(client.get("task", key).sendMessage(refused)), "state.archived");
    assert.equal(await failure(organization.archiveTask({ requestId: randomUUID(), taskId })), "state.conflict");
    const gone = seen((event) => event.removals?.some((row) => row.type === "TaskSummary" && row.id === taskId));
    await organization.deleteTask({ requestId: randomUUID(), taskId });
    await within(20000, "deleted", gone);
    assert.equal(await failure(client.get("task", key).revisions({})), "actor.not_found");
    const back = status("idle");
    await organization.restoreTask({ requestId: randomUUID(), taskId });
    await within(20000, "restored", back);
    assert.ok((await client.get("task", key).revisions({})).task.revision > 0);
    assert.ok(repoId);
    await organization.dispose();
});

await step("a forged token", async () => {
    for (const secret of ["0".repeat(64), token.slice(0, -1), `${token}0`]) {
        const stranger = createClient({ endpoint: withToken(secret), encoding: "json" });
        assert.equal(await failure(stranger.getOrCreate("app", ["app"]).whoami()), "auth.unauthorized");
        assert.equal(await failure(stranger.get("user", user).setUnread({ requestId: randomUUID(), taskId: "t", unread: true })), "auth.unauthorized");
        await stranger.dispose?.();
    }
});

// The last: afterwards there is no host. What is under way then: probe.mjs.
await step("a host that is asked to stop", async () => {
    assert.equal((await drain()).status, 200);
});

await finish();
