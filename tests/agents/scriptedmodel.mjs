// A model server that follows a script, on loopback: enough of three vendors' APIs for real coding agents to work
// against it without a network. Usage: node scriptedmodel.mjs [--port N] [--log FILE]
// Prints {"ready":true,"url":"http://127.0.0.1:N"} and ends with its standard input. See README.md.
import { appendFileSync } from 'node:fs';
import { createServer } from 'node:http';

const option = (name, fallback) => {
  const at = process.argv.indexOf(`--${name}`);
  return at > 0 ? process.argv[at + 1] : fallback;
};
const logFile = option('log', '');
const log = (...words) => logFile && appendFileSync(logFile, words.join(' ') + '\n');

const model = 'scripted-1';
const content = 'Notes by a scripted model.\n';
const finalText = 'I wrote the notes.';
const usage = { input_tokens: 10, output_tokens: 5, total_tokens: 15 };
let count = 0;
const id = (prefix) => `${prefix}_${++count}`;

// The last prompt that says where to write, "WRITE_TO:/absolute/path", counts: requests bring the whole conversation, and an
// earlier prompt may have been cancelled or cut. Where none says so: NOTES.md in the folder that claude and opencode name in
// their instructions, because their tools want absolute paths.
const target = (body) => {
  const text = JSON.stringify(body);
  const folder = /orking directory: (\/[^"\\]+)/.exec(text)?.[1].trim();
  return [...text.matchAll(/WRITE_TO:([^\s"\\]+)/g)].at(-1)?.[1] ?? (folder ? `${folder}/NOTES.md` : 'NOTES.md');
};
const quoted = (path) => `'${path.replaceAll("'", "'\\''")}'`;

function sse(response, events) {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
  for (const [name, data] of events) {
    if (name) response.write(`event: ${name}\n`);
    response.write(`data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`);
  }
  response.end();
}
function json(response, value, status = 200) {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(value));
}

// OpenAI chat completions (opencode). Its title calls bring no tools: they get text.
function chat(body, response) {
  const write = body.tools?.find((tool) => tool.function?.name === 'write');
  const answered = body.messages?.at(-1)?.role === 'tool';
  const delta = write && !answered
    ? { tool_calls: [{ index: 0, id: id('call'), type: 'function',
        function: { name: 'write', arguments: JSON.stringify({ filePath: target(body), content }) } }] }
    : { content: finalText };
  const reason = delta.tool_calls ? 'tool_calls' : 'stop';
  const base = { id: id('chatcmpl'), object: 'chat.completion.chunk', created: 1, model };
  const counts = { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 };
  if (!body.stream) {
    json(response, { ...base, object: 'chat.completion', usage: counts,
      choices: [{ index: 0, finish_reason: reason, message: { role: 'assistant', content: null, ...delta } }] });
    return;
  }
  const piece = (d, finish = null) => [null, { ...base, choices: [{ index: 0, delta: d, finish_reason: finish }] }];
  sse(response, [piece({ role: 'assistant', content: '' }), piece(delta), piece({}, reason),
    [null, { ...base, choices: [], usage: counts }], [null, '[DONE]']]);
}

// OpenAI responses (codex). It writes by a shell command, and asks to leave its sandbox, so that a person is asked.
function responses(body, response) {
  const items = body.input ?? [];
  const lastOutput = items.findLastIndex((item) => item.type === 'function_call_output');
  const lastPrompt = items.findLastIndex((item) => item.role === 'user');
  const tool = body.tools?.find((t) => t.name === 'exec_command');
  const responseId = id('resp');
  let item;
  if (tool && lastOutput < lastPrompt) {
    const cmd = `printf '%s' ${quoted(content)} > ${quoted(target(items[lastPrompt]))}`;
    item = { type: 'function_call', id: id('fc'), call_id: id('call'), name: tool.name, status: 'completed',
      arguments: JSON.stringify({ cmd, sandbox_permissions: 'require_escalated', justification: 'Write the notes?' }) };
  } else {
    item = { type: 'message', id: id('msg'), role: 'assistant', status: 'completed',
      content: [{ type: 'output_text', text: finalText, annotations: [] }] };
  }
  const whole = { id: responseId, object: 'response', created_at: 1, status: 'completed', model, output: [item],
    usage: { ...usage, input_tokens_details: { cached_tokens: 0 }, output_tokens_details: { reasoning_tokens: 0 } } };
  if (!body.stream) {
    json(response, whole);
    return;
  }
  const events = [{ type: 'response.created', response: { ...whole, status: 'in_progress', output: [] } },
    { type: 'response.output_item.added', output_index: 0, item: { ...item, status: 'in_progress', content: [] } }];
  if (item.type === 'message')
    events.push({ type: 'response.output_text.delta', item_id: item.id, output_index: 0, content_index: 0, delta: finalText });
  events.push({ type: 'response.output_item.done', output_index: 0, item }, { type: 'response.completed', response: whole });
  sse(response, events.map((event) => [event.type, event]));
}

// Anthropic messages (claude).
function messages(body, response) {
  const write = body.tools?.find((tool) => tool.name === 'Write');
  const last = body.messages?.at(-1);
  // After a cancelled turn the next prompt brings the result of the tool that was not run.
  const answered = Array.isArray(last?.content) && last.content.some((block) => block.type === 'tool_result')
    && !last.content.some((block) => block.type === 'text' && /WRITE_TO:/.test(block.text));
  const input = { file_path: target(body), content };
  const block = write && !answered
    ? { type: 'tool_use', id: id('toolu'), name: 'Write', input }
    : { type: 'text', text: finalText };
  const reason = block.type === 'tool_use' ? 'tool_use' : 'end_turn';
  const message = { id: id('msg'), type: 'message', role: 'assistant', model: body.model ?? model, content: [],
    stop_reason: null, stop_sequence: null, usage: { input_tokens: 10, output_tokens: 1 } };
  if (!body.stream) {
    json(response, { ...message, content: [block], stop_reason: reason });
    return;
  }
  const start = block.type === 'text' ? { type: 'text', text: '' } : { ...block, input: {} };
  const delta = block.type === 'text'
    ? { type: 'text_delta', text: block.text }
    : { type: 'input_json_delta', partial_json: JSON.stringify(input) };
  const events = [
    { type: 'message_start', message },
    { type: 'content_block_start', index: 0, content_block: start },
    { type: 'content_block_delta', index: 0, delta },
    { type: 'content_block_stop', index: 0 },
    { type: 'message_delta', delta: { stop_reason: reason, stop_sequence: null }, usage: { output_tokens: 5 } },
    { type: 'message_stop' }];
  sse(response, events.map((event) => [event.type, event]));
}

const server = createServer((request, response) => {
  const pieces = [];
  request.on('data', (piece) => pieces.push(piece));
  request.on('end', () => {
    const path = new URL(request.url, 'http://loopback').pathname;
    let body = {};
    try {
      body = JSON.parse(Buffer.concat(pieces).toString() || '{}');
    } catch {
      json(response, { error: { message: 'not JSON' } }, 400);
      return;
    }
    log(request.method, path, `model=${body.model}`, `tools=${body.tools?.length ?? 0}`);
    if (path.endsWith('/chat/completions')) chat(body, response);
    else if (path.endsWith('/responses')) responses(body, response);
    else if (path.endsWith('/messages')) messages(body, response);
    else if (path.endsWith('/count_tokens')) json(response, { input_tokens: 10 });
    else if (path.endsWith('/models')) json(response, { object: 'list', data: [{ id: model, object: 'model', created: 1 }], models: [] });
    else json(response, { error: { message: `no such path: ${path}` } }, 404);
  });
});
server.listen(Number(option('port', '0')), '127.0.0.1', () =>
  process.stdout.write(JSON.stringify({ ready: true, url: `http://127.0.0.1:${server.address().port}` }) + '\n'));
process.stdin.on('end', () => process.exit(0)).resume();
