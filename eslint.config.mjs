// What is wrong in a script whoever wrote it: names that are not there, names that nobody uses, what was meant otherwise.
import js from "@eslint/js";
import globals from "globals";

const PAGES = "courier_api/web/static/js/**";
const WORKERS = "courier_api/web/static/js/**/worker.js";
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
  { files: [WORKERS], languageOptions: { globals: { ...globals.serviceworker, SHELL: "readonly" } } }, // the server writes SHELL
  { files: DRIVERS, rules: { "no-undef": "off" } },
];
