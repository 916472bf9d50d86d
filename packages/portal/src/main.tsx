/** Starts the page. The one-time link is taken out of the address before anything else runs. Source: design.md, "Identity". */
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./shell/app.tsx";
import { takeLink } from "./wallet/take-link.ts";

const link = takeLink();
const root = document.getElementById("root");
if (root !== null)
  createRoot(root).render(
    <StrictMode>
      <App link={link} />
    </StrictMode>,
  );
