// What the scripts of this folder share: one of the official clients, made for a running host, and steps that are told.
//   node SCRIPT.mjs FOLDER PACKAGE ENDPOINT   (the token comes in FOUNDRY_TOKEN, never in the arguments)
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

export const [folder, name, endpoint] = process.argv.slice(2);
export const token = process.env.FOUNDRY_TOKEN;
// Its ES module: the CommonJS form of the older ones does not load.
const home = `${folder}/node_modules/${name}`;
const entry = JSON.parse(readFileSync(`${home}/package.json`)).exports["./client"].import;
export const { createClient } = await import(pathToFileURL(`${home}/${entry.default ?? entry}`).href);

export const withToken = (secret) => endpoint.replace("://", `://default:${secret}@`);
export const client = createClient({ endpoint: withToken(token), encoding: "json" });

export const within = (ms, what, promise) =>
    Promise.race([promise, new Promise((_, no) => setTimeout(() => no(new Error(`${what}: no answer in ${ms} ms`)), ms).unref())]);

export async function failure(promise) {
    try {
        await within(20000, "a refused call", promise);
    } catch (error) {
        return `${error.group}.${error.code}`;
    }
    return "no error";
}

export async function step(what, body) {
    const begun = performance.now();
    await within(30000, what, body());
    console.log(`ok ${name} ${what} (${Math.round(performance.now() - begun)} ms)`);
}

export const drain = () => fetch(`${endpoint}/drain`, { method: "POST", headers: { authorization: `Bearer ${token}` } });

export async function finish() {
    await client.dispose?.();
    console.log(`done ${name}`);
    process.exit(0);
}
