import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { runs } from '../../../test/runs.ts';
import { parseChallenges, refusesToken } from '../src/challenge.ts';

const REFUSED = 'Bearer realm="api", error="invalid_token"';

const token = fc.stringMatching(/^[a-z][a-z0-9-]{0,8}$/);
const any = fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.constant(REFUSED));
const quote = (value: string): string => `"${value.replaceAll(/["\\]/g, String.raw`\$&`)}"`;

/** As servers write one value: quoted, as a token, or in the single quotes that no standard knows. */
const written = fc.oneof(
  any.map((value) => ({ value, text: quote(value) })),
  fc.stringMatching(/^[\w!#$%&*+.^`|~-]{1,9}$/).map((value) => ({ value, text: value })),
  fc.stringMatching(/^[\w ,="]{0,9}$/).map((value) => ({ value, text: `'${value}'` })),
);
const parameters = fc.uniqueArray(fc.tuple(token, written), {
  minLength: 1,
  maxLength: 4,
  selector: ([name]) => name,
});
const spaces = fc.constantFrom('', ' ', '\t ');
const separators = fc.constantFrom(',', ', ', ' ,  ', ',, ,');

describe('a challenge', () => {
  const challenge = fc.record({
    scheme: fc.tuple(token, fc.boolean()).map(([name, isLoud]) => (isLoud ? name.toUpperCase() : name)),
    parameters,
    equals: fc.tuple(spaces, spaces).map(([before, after]) => `${before}=${after}`),
  });

  test('is read as it was meant, in any spelling', () => {
    fc.assert(
      fc.property(fc.array(challenge, { maxLength: 4 }), separators, (given, separator) => {
        const header = given
          .map(({ scheme, parameters: of, equals }) => {
            const pairs = of.map(([name, { text }]) => `${name}${equals}${text}`);
            return `${scheme} ${pairs.join(separator)}`;
          })
          .join(separator);

        const meant = given.map(({ scheme, parameters: of }) => ({
          scheme: scheme.toLowerCase(),
          parameters: Object.fromEntries(of.map(([name, { value }]) => [name, value])),
        }));
        expect(parseChallenges(header)).toEqual(header.length > 8192 ? expect.anything() : meant);
      }),
      runs(500),
    );
  });
});

describe('what a gateway asks for', () => {
  const scheme = fc.constantFrom('Basic', 'DIGEST', 'negotiate', 'NTLM');
  const realm = fc.tuple(fc.constantFrom('realm', 'nonce', 'opaque', 'error_description'), written);
  const ofGateway = fc.oneof(
    scheme,
    fc.tuple(scheme, fc.stringMatching(/^[A-Za-z0-9+/]{1,20}={0,2}$/)).map((pair) => pair.join(' ')),
    fc
      .tuple(scheme, fc.array(realm, { minLength: 1, maxLength: 3 }), separators)
      .map(([name, of, comma]) => `${name} ${of.map(([key, { text }]) => `${key}=${text}`).join(comma)}`),
  );
  // No word begins it, and no comma leads one in: that would be another challenge.
  const noise = fc
    .tuple(fc.constantFrom(' x', ' "', ' <', ' ('), fc.string())
    .map(([start, text]) => start + text.replaceAll(/[,"']|error\s*=/gi, ''));
  const unclosed = fc.tuple(fc.constantFrom('realm="', 'x="'), any).map(([start, text]) => {
    return `, ${start}${text.replaceAll(/["\\]/g, '')}`;
  });

  test('is never taken for a refused access token, whatever stands in it and around it', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(ofGateway, separators), { minLength: 1, maxLength: 3 }),
        fc.constantFrom('', ' ', ',', ' , ,\t'),
        fc.oneof(noise, unclosed, separators),
        (challenges, before, after) => {
          const header =
            before +
            challenges
              .flat()
              .join('')
              .replace(/[\s,]+$/, '') +
            after;

          expect([header, refusesToken(header)]).toEqual([header, false]);
        },
      ),
      runs(1000),
    );
  });

  test('hides no refusal beside it', () => {
    fc.assert(
      fc.property(
        fc.array(ofGateway, { maxLength: 2 }),
        fc.array(ofGateway, { maxLength: 2 }),
        (some, more) => {
          expect(refusesToken([...some, REFUSED, ...more].join(', '))).toBe(true);
        },
      ),
      runs(300),
    );
  });
});
