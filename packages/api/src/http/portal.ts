/** The patient page as files. Source: design.md, "What a user gets". */
import fastifyStatic from "@fastify/static";
import type { FastifyInstance } from "fastify";

/** Serves the built portal at `/`. Files under `assets/` are named by their content, so they never change; all else is asked for anew. */
export async function servePortal(app: FastifyInstance, root: string): Promise<void> {
  await app.register(fastifyStatic, {
    root,
    wildcard: false,
    index: "index.html",
    cacheControl: false,
    setHeaders: (reply, path) => {
      const isNamedByContent = /[/\\]assets[/\\]/.test(path);
      reply.header("cache-control", isNamedByContent ? "public, max-age=31536000, immutable" : "no-cache");
    },
  });
}
