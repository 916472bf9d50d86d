/** Builds the page into `dist`: plain files, everything of our own, no request to anyone else. Source: design.md, "Packages" (portal). */
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

export default defineConfig({
  plugins: [react()],
  build: {
    target: ["chrome111", "safari16.4", "firefox128"],
    // Inlined files would be `data:` addresses, which the content security policy refuses.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
});
