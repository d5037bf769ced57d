// The requests about tokens: GET /tokens, POST /tokens, DELETE /tokens/ID, and DELETE /tokens/current, by which a holder
// gives up the token that they come with. All but the last are for owners of `local`. Main thread.
#pragma once

#include "backend/host/httpconnection.h"
#include "backend/host/tokenstore.h"

namespace foundry::backend {

// {"token":{"id","user","role","createdAt","expiresAt"?,"revokedAt"?},"secret"} and {"tokens":[…]}.
QByteArray encodeMadeToken(const MadeToken &made);
QByteArray encodeTokenRows(const QList<TokenRow> &rows);
Result<MadeToken> decodeMadeToken(const QByteArray &json);
Result<QList<TokenRow>> decodeTokenRows(const QByteArray &json);

// What POST /tokens takes: {"user","role","expiresAt"?}.
QByteArray encodeTokenWish(const QString &name, Role role, std::optional<qint64> expiresAt);

// `role`: the caller's in `local`. JSON, or an error.
Result<QByteArray> answerTokens(TokenStore &tokens, const HttpRequest &request, const Caller &caller, Role role);

} // namespace foundry::backend
