export * from "../../virtual/board";
