/** `as-tcpip/http`: a web server with routes to handlers of the application (docs/http.md). */
export {
  HTTP_FOREVER,
  eventBegin,
  eventEnd,
  httpAnswer,
  httpAnswerField,
  httpError,
  httpEvents,
  httpMore,
  httpRoom,
  httpWait,
  httpWake,
} from "./answer";
export {
  HttpEvent,
  httpBody,
  httpClient,
  httpData,
  httpDataBytes,
  httpEvent,
  httpField,
  httpKeptAt,
  httpKeptBytes,
  httpMethod,
  httpQuery,
  httpRest,
  httpState,
  httpStep,
  setHttpState,
} from "./call";
export { httpTimer, httpUnwatch, httpWatch } from "../clients";
export { httpKeepField } from "./fields";
export { HTTP_CLIENTS, HTTP_STREAM, httpListen, httpNext } from "./next";
export { httpParam, httpParamCopy, httpParamIs, httpParamNumber } from "./params";
export {
  HTTP_DELETE,
  HTTP_GET,
  HTTP_PATCH,
  HTTP_POST,
  HTTP_PUT,
  HTTP_TELL,
  HTTP_UPLOAD,
  httpRoute,
} from "./routes";
export {
  jsonArray,
  jsonArrayEnd,
  jsonBool,
  jsonBytes,
  jsonClose,
  jsonInteger,
  jsonKey,
  jsonNull,
  jsonNumber,
  jsonObject,
  jsonObjectEnd,
  jsonOpen,
  jsonText,
} from "./json-out";
export { putAddress, putBytes, putCharacter, putHex, putMac, putNumber, putText } from "../writer";
export {
  webSocketAccept,
  webSocketBinary,
  webSocketClose,
  webSocketCode,
  webSocketIsFirst,
  webSocketIsLast,
  webSocketIsText,
  webSocketText,
} from "./websocket";
export {
  JSON_ARRAY,
  JSON_ARRAY_END,
  JSON_BAD,
  JSON_END,
  JSON_FALSE,
  JSON_KEY,
  JSON_NULL,
  JSON_NUMBER,
  JSON_OBJECT,
  JSON_OBJECT_END,
  JSON_TEXT,
  JSON_TRUE,
  jsonCopy,
  jsonInt,
  jsonIs,
  jsonNext,
  jsonRead,
  jsonSkip,
} from "./json-in";
