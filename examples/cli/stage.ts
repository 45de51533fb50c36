// What the program's processes start with: the clock of the stage, and the way to its authorization server.
import { mock } from 'node:test';
import { routeFetch } from '../device-sign-in/route-fetch.ts';

const { STAGE_NOW, STAGE_ORIGIN } = process.env;

mock.timers.enable({ apis: ['Date'], now: Number(STAGE_NOW) });
routeFetch(STAGE_ORIGIN!);
