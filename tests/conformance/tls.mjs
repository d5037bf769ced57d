// A client on another machine, as far as the host can see: over TLS, with a token of its own (NODE_EXTRA_CA_CERTS has the
// host's certificate).
import assert from "node:assert/strict";
import { client, createClient, failure, finish, step, within, withToken } from "./official.mjs";

await step("an action over https", async () => {
    const who = await client.getOrCreate("app", ["app"]).whoami();
    assert.equal(who.userId, "token:ann");
});

await step("a connection over wss, with an event", async () => {
    const connection = client.getOrCreate("user", ["user", "token:ann"]).connect();
    const event = new Promise((seen) => connection.on("overlay", seen));
    const answer = await connection.setUnread({ requestId: "tls-1", taskId: "t1", unread: true });
    assert.equal(answer.id, "t1");
    assert.equal((await within(10000, "the event", event)).upserts[0].id, "t1");
    await connection.dispose();
});

await step("what a member may not do", async () => {
    const organization = client.get("organization", ["org", "local"]);
    assert.equal(await failure(organization.confirmAgent({ requestId: "tls-2", agentId: "runner" })), "auth.forbidden");
    // The 2.1 and 2.2 clients make their own words of it.
    assert.match(await failure(client.get("user", ["user", "local"]).listSignIns()), /^(auth\.forbidden|actor\.not_found)$/);
});

await step("a token that the host does not know", async () => {
    const stranger = createClient({ endpoint: withToken(`fdt_000000000000_${"0".repeat(64)}`), encoding: "json" });
    assert.equal(await failure(stranger.getOrCreate("app", ["app"]).whoami()), "auth.unauthorized");
    await stranger.dispose?.();
});

await finish();
