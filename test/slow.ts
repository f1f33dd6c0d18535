/** Whether tests of what shows only after a while have their full length, as in `npm run test:slow`. */
export const IS_SLOW = process.env.TAILTUNE_TEST_SLOW === "yes";
