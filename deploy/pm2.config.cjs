// Start: pm2 start deploy/pm2.config.cjs && pm2 save. Its log: pm2 logs minerpanel. Its settings are in .env.
const path = require("node:path");

module.exports = {
  apps: [
    {
      name: process.env.PM2_NAME || "minerpanel",
      cwd: path.dirname(__dirname),
      // Sets up, then runs the supervisor, which restarts web and worker separately
      script: "bin/run",
      interpreter: "bash",
      autorestart: true,
      exp_backoff_restart_delay: 1000,
      // The supervisor stops its programs itself, after their running steps
      treekill: false,
      kill_timeout: 60000,
      merge_logs: true,
    },
  ],
};
