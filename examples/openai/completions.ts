import type { Answer, ReceivedRequest } from '@unexpired/testing';

const WORDS = ['Yes, ', 'I am', '.'];

function event(data: unknown): string {
  return `data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`;
}

function chunk(content: string, index: number): string {
  const delta = { content };
  return event({ id: `chunk-${index}`, object: 'chat.completion.chunk', choices: [{ index: 0, delta }] });
}

/** Chat completions, as JSON or as server-sent events. */
export function answerCompletion({ body }: ReceivedRequest): Answer {
  const { stream } = JSON.parse(body.toString()) as { stream?: boolean };
  if (stream === true) {
    const events = [...WORDS.map(chunk), event('[DONE]')];
    return { headers: { 'Content-Type': 'text/event-stream' }, body: events.join('') };
  }
  const message = { role: 'assistant', content: WORDS.join('') };
  return { body: { id: 'completion', object: 'chat.completion', choices: [{ index: 0, message }] } };
}
