// Run the flow of `plan.py` with the official TypeScript client:
//
//     node drive.cjs PLAN URL
//
// Runs in a folder with the client and `ws` in its node_modules, and prints a JSON line per step.
"use strict";

const { createRequire } = require("node:module");
const { readFileSync } = require("node:fs");
const local = createRequire(`${process.cwd()}/`);
const pieces = local("@pieces.app/pieces-os-client");
const WebSocket = local("ws");

const STREAM_MS = 8000;

class AbsentError extends Error {}

const camel = (name) => name.replace(/_+(\w)/g, (_, letter) => letter.toUpperCase());

function check(condition, message) {
    if (!condition) throw new Error(message);
}

/** A function of the client that makes a model from JSON, or JSON from a model. */
function converter(name) {
    if (!pieces[name]) throw new AbsentError(name);
    return pieces[name];
}

/** The frames of one stream, each decoded by the client's model. */
class Stream {
    constructor(url, model) {
        this.model = model;
        this.entries = [];
        this.wake = () => {};
        this.socket = openSocket(url);
        this.socket.on("message", (data) => {
            const frame = converter(`${model}FromJSON`)(JSON.parse(data.toString()));
            this.entries.push(...frame.iterable);
            this.wake();
        });
    }

    opened() {
        return new Promise((resolve, reject) => {
            this.socket.once("open", resolve);
            this.socket.once("error", reject);
        });
    }

    /** Read frames until an entry of one fulfils a condition. */
    async waitFor(condition) {
        const end = Date.now() + STREAM_MS;
        while (!this.entries.some(condition)) {
            check(Date.now() < end, "no frame of the stream told of it");
            await new Promise((resolve) => {
                const timer = setTimeout(resolve, end - Date.now());
                this.wake = () => {
                    clearTimeout(timer);
                    resolve();
                };
            });
        }
    }

    close() {
        this.socket.close();
    }
}

/** A condition for an entry of a stream that is about a material. */
const of = (id) => (entry) => Object.values(entry).some((value) => value && value.id === id);

/** Tell if a document has everything that is expected of it. */
function holds(document, expected) {
    if (expected !== null && typeof expected === "object") {
        return Boolean(document) && Object.keys(expected).every((key) => holds(document[key], expected[key]));
    }
    return document === expected;
}

/** All sockets, which would keep this program running. */
const sockets = [];

function openSocket(url) {
    const socket = new WebSocket(url);
    sockets.push(socket);
    return socket;
}

class Flow {
    constructor(plan, url) {
        this.plan = plan;
        this.url = url;
        this.configuration = new pieces.Configuration({ basePath: url });
        this.values = {};
        this.made = {};
        this.others = {};
        this.streams = {};
    }

    async step(name, action) {
        let outcome = { step: name, outcome: "passed" };
        try {
            await action();
        } catch (error) {
            if (error instanceof AbsentError) {
                outcome = { step: name, outcome: "absent" };
            } else {
                const answer = error.response ? ` ${error.response.status} ${await error.response.text()}` : "";
                const said = `${error.name}: ${error.message}${answer}`.slice(0, 600);
                outcome = { step: name, outcome: "failed", error: said };
            }
        }
        console.log(JSON.stringify(outcome));
    }

    /** The function of an operation, bound to its class. */
    operation(operation) {
        const api = pieces[operation.api] && new pieces[operation.api](this.configuration);
        const name = camel(operation.function);
        if (!api || !api[name]) throw new AbsentError(name);
        return api[name].bind(api);
    }

    /** Tell if this version of the client has an operation. */
    has(operation) {
        return Boolean(pieces[operation.api] && pieces[operation.api].prototype[camel(operation.function)]);
    }

    /** Call an operation of the client, with a body of its own models. */
    call(operation, body, parameters = {}) {
        const run = this.operation(operation);
        const all = Object.fromEntries(Object.entries(parameters).map(([name, value]) => [camel(name), value]));
        if (operation.body) {
            const { schema } = operation.body;
            all[schema[0].toLowerCase() + schema.slice(1)] = converter(`${operation.body.schema}FromJSON`)(this.filled(body));
        }
        return run(all);
    }

    /** A document with its placeholders filled in. */
    filled(value) {
        if (Array.isArray(value)) return value.map((each) => this.filled(each));
        if (value !== null && typeof value === "object") {
            return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, this.filled(each)]));
        }
        if (typeof value === "string" && value.startsWith("{")) {
            if (!(value in this.values)) throw new AbsentError(value);
            return this.values[value];
        }
        return value;
    }

    async run() {
        const { kinds, search } = this.plan;
        await this.step("connect", () => this.connect());
        for (const kind of kinds) {
            if (kind.stream) await this.step(`${kind.name} stream opens`, () => this.listen(kind));
            await this.step(`${kind.name} create`, () => this.create(kind));
        }
        await this.associations("associate", true);
        for (const kind of kinds) {
            await this.step(`${kind.name} snapshot`, () => this.snapshot(kind));
            await this.step(`${kind.name} read`, () => this.read(kind));
            if (kind.operations.update) await this.step(`${kind.name} update`, () => this.update(kind));
            if (kind.operations.search) await this.step(`${kind.name} search`, () => this.search(kind));
        }
        await this.step("asset search by query", async () => {
            this.found(await this.call(search.query, undefined, { query: search.text }), this.made.asset);
        });
        await this.step("asset search by filters", async () => {
            this.found((await this.call(search.filters, { query: search.text })).results, this.made.asset);
        });
        await this.step("asset stream of documents", () => this.streamAssets());
        for (const other of this.plan.others.filter((each) => this.has(each))) {
            await this.step(other.function, async () => {
                check((await this.call(other)) !== undefined, "nothing was answered");
            });
        }
        await this.step("relevance", () => this.relevance());
        const query = "How high is the tide?";
        await this.step("question", () => this.ask("question", { query, relevant: { iterable: [] } }));
        await this.step("reprompt", () => this.ask("reprompt", { query, conversation: { iterable: [] } }));
        await this.step("hints", () => this.ask("hints", { relevant: { iterable: [] } }));
        await this.step("question on the stream", () => this.streamQuestion(query));
        await this.associations("disassociate", false);
        for (const kind of [...kinds].reverse()) {
            if (kind.operations.delete) await this.step(`${kind.name} delete`, () => this.delete(kind));
        }
        await this.step("end", () => sockets.forEach((socket) => socket.terminate()));
    }

    /** Associate, or disassociate, everything that can be. */
    async associations(verb, linked) {
        for (const row of this.plan.associations) {
            await this.step(`${row.owner}.${row.wire} ${verb}`, () => this.pair(row, verb, linked));
        }
    }

    async connect() {
        const answer = await this.call(this.plan.connect, this.plan.seeds_application);
        this.values["{application}"] = pieces.ApplicationToJSON(answer.application);
    }

    async listen(kind) {
        this.operation(kind.operations.stream);
        const stream = new Stream(this.url.replace("http", "ws") + kind.stream, "StreamedIdentifiers");
        await stream.opened();
        this.streams[kind.name] = stream;
    }

    /** Create two of a kind; the stream tells of them. */
    async create(kind) {
        const { name, schema, seed, operations } = kind;
        for (const made of [this.others, this.made]) {
            if (seed === null) {
                const asset = this.plan.kinds.find((each) => each.name === "asset");
                made[name] = (await this.call(asset.operations.read, undefined, { asset: made.asset })).original.id;
            } else {
                let created = await this.call(operations.create, seed);
                if (name === "share") created = created.iterable[0];
                made[name] = created.id;
                this.values[`{${name} document}`] = converter(`${schema}ToJSON`)(created);
            }
            this.values[`{${name}}`] = made[name];
        }
        if (this.streams[name]) await this.streams[name].waitFor(of(this.made[name]));
    }

    id(kind) {
        if (!(kind.name in this.made)) throw new AbsentError(kind.name);
        return this.made[kind.name];
    }

    async read(kind) {
        const found = await this.call(kind.operations.read, undefined, { [kind.parameter]: this.id(kind) });
        check(found.id === this.id(kind), "another was answered");
        return found;
    }

    async document(kind) {
        return converter(`${kind.schema}ToJSON`)(await this.read(kind));
    }

    async snapshot(kind) {
        const id = this.id(kind);
        const ids = (await this.call(kind.operations.all)).iterable.map((each) => each.id);
        check(ids.includes(id) && ids.includes(this.others[kind.name]), `${id} is not among the ${ids.length}`);
    }

    async update(kind) {
        const document = { ...(await this.document(kind)), ...kind.edit };
        const answer = await this.call(kind.operations.update, document);
        check(holds(converter(`${kind.schema}ToJSON`)(answer), kind.edit), "the answer lacks the edit");
        check(holds(await this.document(kind), kind.edit), "the edit was lost");
    }

    async search(kind) {
        const id = this.id(kind);
        const body = { engines: { iterable: [{ query: this.plan.search.text }] } };
        this.found(await this.call(kind.operations.search, body), id);
    }

    found(results, id) {
        check(
            results.iterable.some((hit) => hit.identifier === id),
            `not among ${results.iterable.length} hits`,
        );
    }

    async streamAssets() {
        const stream = new Stream(`${this.url.replace("http", "ws")}/assets/stream`, "Assets");
        await stream.waitFor((entry) => entry.id === this.made.asset);
        stream.close();
    }

    /** Ask the Copilot, whose answer is a model with something in it. */
    async ask(name, body) {
        const answer = await this.call(this.plan.questions[name], body);
        check(Object.keys(answer).length > 0, "the answer is empty");
    }

    async relevance() {
        const body = { query: this.plan.search.text, options: { database: true } };
        const found = (await this.call(this.plan.questions.relevance, body)).relevant.iterable;
        check(
            found.some((each) => each.asset && each.asset.id === this.made.asset),
            "the asset is not relevant to its name",
        );
    }

    /** The answer to a question ends, and is told to be of the conversation that was named. */
    async streamQuestion(query) {
        const body = { question: { query, relevant: { iterable: [] } }, conversation: this.made.conversation };
        const input = pieces.QGPTStreamInputToJSON(pieces.QGPTStreamInputFromJSON(body));
        const socket = openSocket(`${this.url.replace("http", "ws")}/qgpt/stream`);
        const frames = [];
        await new Promise((resolve, reject) => {
            const timer = setTimeout(() => reject(new Error("the answer did not end")), STREAM_MS);
            socket.on("open", () => socket.send(JSON.stringify(input)));
            socket.on("error", reject);
            socket.on("message", (data) => {
                frames.push(pieces.QGPTStreamOutputFromJSON(JSON.parse(data.toString())));
                if (frames[frames.length - 1].status !== "IN-PROGRESS") {
                    clearTimeout(timer);
                    resolve();
                }
            });
        });
        socket.close();
        const last = frames.pop();
        check(last.status === "COMPLETED", `the status is ${last.status}`);
        check(last.conversation === this.made.conversation, "another conversation was named");
        check(frames.every((frame) => frame.question.answers.iterable[0].text), "a frame has no text");
    }

    /** Associate or disassociate two materials; the first then has the second, or lacks it. */
    async pair(row, verb, linked) {
        if (!(row.owner in this.made) || !(row.other in this.others)) throw new AbsentError(row.other);
        const [owner, other] = Object.keys(row.parameters);
        const ids = { [owner]: this.made[row.owner], [other]: this.others[row.other] };
        await this.call(row[verb], undefined, ids);
        let members = await this.document(this.plan.kinds.find((kind) => kind.name === row.owner));
        for (const name of row.wire.split(".")) members = members[name] || {};
        const found = (members.iterable || []).some((each) => each.id === this.others[row.other]);
        check(found === linked, `the relation ${found ? "has" : "lacks"} what was ${verb}d`);
    }

    /** Delete what was made; it is gone, and the stream says so. */
    async delete(kind) {
        const id = this.id(kind);
        await this.call(kind.operations.delete, undefined, { [kind.parameter]: id });
        const status = await this.read(kind).then(
            () => 200,
            (error) => error.response.status,
        );
        check([404, 410, 500].includes(status), `reading it answers ${status}`);
        const stream = this.streams[kind.name];
        if (stream) await stream.waitFor((entry) => of(id)(entry) && entry.deleted);
    }
}

const [plan, url] = process.argv.slice(2);
new Flow(JSON.parse(readFileSync(plan, "utf8")), url).run();
