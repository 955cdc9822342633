// What is wrong in a script whoever wrote it: names that are not there, names that nobody uses, what was meant otherwise.
import js from "@eslint/js";
import globals from "globals";

const PAGES = "courier_api/web/static/js/**";
const WORKERS = ["courier_api/web/static/js/**/worker.js", "courier_api/web/static/js/keeping.js"];
const ABOVE = { SHELL: "readonly", keepWhole: "readonly", fetchOne: "readonly", asked: "readonly" }; // what the server puts above
const DRIVERS = ["tests/**/*.mjs", "scripts/**/*.mjs"]; // they hand functions to the page, where other names are known

export default [
  { ignores: [".local/", ".venv/"] },
  js.configs.recommended,
  {
    languageOptions: { ecmaVersion: 2024, globals: globals.es2024 },
    rules: {
      eqeqeq: "error",
      "no-implicit-globals": "error",
      "no-unused-vars": ["error", { varsIgnorePattern: "^_", argsIgnorePattern: "^_", ignoreRestSiblings: true }],
      "no-var": "error",
      "object-shorthand": "error",
      "prefer-const": "error",
    },
  },
  { files: [PAGES], languageOptions: { globals: globals.browser } },
  {
    files: WORKERS,
    languageOptions: { sourceType: "script", globals: { ...globals.serviceworker, ...ABOVE } },
    rules: { "no-implicit-globals": "off", "no-redeclare": "off", "no-unused-vars": "off" },
  },
  { files: DRIVERS, rules: { "no-undef": "off" } },
];
