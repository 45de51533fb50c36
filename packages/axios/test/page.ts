import { JSDOM } from 'jsdom';

const dom = new JSDOM('', { url: 'http://localhost/' });

/** A page of another origin than every server. To be imported before axios, which looks around when it is loaded. */
export const page = dom.window;

/** Moves the page, so that relative URLs count from there. */
export function openPage(url: string): void {
  dom.reconfigure({ url });
}

const { XMLHttpRequest, document, location } = page;
Object.assign(globalThis, { window: page, XMLHttpRequest, document, location });
