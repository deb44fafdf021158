/** MQTT 3.1.1 and 5, 4.7: topics that a broker would end the connection for are refused before they are kept (test/device/topics). */
import test from "ava";
import { Lan } from "../../host-tools/testing/index.js";
import { stepsOf } from "../support/steps.js";

const [EAGAIN, EINVAL, ENOTCONN] = [-11, -22, -107];

test("4.7.1, 4.7.3: no wildcard, NUL or nothing is published to; no QoS 3; filters with a wildcard in the wrong place", async (t) => {
  const lan = new Lan();
  const device = await lan.device({ app: "test/device/topics" });
  await device.logged("step 99");
  t.deepEqual(
    stepsOf(device.log).map(([, result]) => result),
    [
      ...[EINVAL, EINVAL, EINVAL, EINVAL, EINVAL, ENOTCONN, 0, EAGAIN],
      ...[EINVAL, EINVAL, ENOTCONN, EINVAL],
      ...[EINVAL, EINVAL, EINVAL, EINVAL, ENOTCONN, 0],
    ],
  );
  lan.close();
});
