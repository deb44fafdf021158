import js from "@eslint/js";
import tseslint from "typescript-eslint";

const shared = {
  "max-lines": ["error", { max: 500, skipBlankLines: true, skipComments: true }],
  "max-depth": ["error", 5],
  "@typescript-eslint/explicit-function-return-type": ["error", { allowExpressions: true }],
  "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_" }],
  eqeqeq: "off",
};

export default tseslint.config(
  { ignores: ["build/", "node_modules/"] },
  js.configs.recommended,
  ...tseslint.configs.recommended,
  {
    files: ["host-tools/**/*.ts", "test/**/*.ts"],
    ignores: ["test/device/**"],
    languageOptions: { globals: { process: "readonly", console: "readonly", Buffer: "readonly" } },
    rules: { ...shared, "no-undef": "off", eqeqeq: ["error", "smart"] },
  },
  {
    files: ["**/*.mjs"],
    languageOptions: { globals: { process: "readonly", console: "readonly", URL: "readonly" } },
  },
  {
    // AssemblyScript: no heap, no exceptions, no closures; its own types and loose equality.
    files: [
      "firmware/**/*.ts",
      "hal/**/*.ts",
      "drivers/**/*.ts",
      "stack/**/*.ts",
      "test/device/**/*.ts",
    ],
    rules: {
      ...shared,
      "no-undef": "off",
      "@typescript-eslint/no-extraneous-class": "off",
      "@typescript-eslint/no-unused-expressions": "off",
      "@typescript-eslint/no-unsafe-function-type": "off",
      "@typescript-eslint/no-wrapper-object-types": "off",
      "prefer-const": "error",
      "no-restricted-syntax": [
        "error",
        { selector: "NewExpression", message: "device code never allocates" },
        { selector: "TemplateLiteral", message: "no strings at run time" },
        { selector: "TryStatement", message: "no exceptions on the device" },
        {
          selector: "ArrayExpression:not(CallExpression > ArrayExpression)",
          message: "no arrays on the device",
        },
      ],
    },
  },
);
