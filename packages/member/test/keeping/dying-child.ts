/** A keeper that is killed before its n-th object: `node dying-child.ts FOLDER N`. */
import { keeperOf } from "./folder-archive.ts";

const [folder = "", last = "0"] = process.argv.slice(2);
const { keeper } = keeperOf(folder, {
  onObject: (index) => {
    if (index === Number(last)) process.kill(process.pid, "SIGKILL");
  },
});
await keeper.look();
