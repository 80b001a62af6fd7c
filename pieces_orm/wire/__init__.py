"""The wire protocol as data, shared by the client and the embedded server; nothing here does IO."""
