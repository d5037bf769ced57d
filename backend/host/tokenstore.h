// The tokens of this host beside the one of its connect file: who they belong to, until when, and whether they were
// revoked. Kept in tokens.db of the data directory as SHA-256 of a token of 256 random bits, so that the file gives none
// away; the text is known once, when it is made. One process at a time has it open: the holder of the data directory's
// lock. Its own thread (the host's main thread).
#pragma once

#include "backend/actors/memberships.h"
#include "backend/host/accessgate.h"

#include <QObject>
#include <QTimer>

#include <functional>
#include <memory>

namespace foundry::backend {

class Database;

// Times are milliseconds since the epoch.
struct TokenRow {
    QString id;   // public: names the token in lists and logs
    QString user; // "token:NAME"
    Role role = Role::Member; // in `local`
    qint64 createdAt = 0;
    std::optional<qint64> expiresAt;
    std::optional<qint64> revokedAt;
};

struct MadeToken {
    TokenRow row;
    QString text; // the secret
};

// Letters, digits, ".", "-", "_" and "@", at most 64, no leading mark.
bool isTokenName(const QString &name);
// "token:NAME" of a name that may be.
bool isTokenUser(const QString &user);

class TokenStore final : public QObject, public TokenDirectory {
    Q_OBJECT

public:
    using Clock = std::function<qint64()>;

    // Errors: what Database::open says. Rows that have been of no use for 30 days are dropped.
    static Result<std::unique_ptr<TokenStore>> open(const QString &dataDir, Clock clock);
    ~TokenStore() override;

    // Errors: input.invalid (name, role, a time that is over), state.conflict (too many), internal.…
    Result<MadeToken> create(const QString &name, Role role, std::optional<qint64> expiresAt);
    // input.invalid for an id that is not there; revoking again changes nothing.
    Result<> revoke(const QString &id);
    QList<TokenRow> rows() const;
    // The highest role of those of each user's tokens that hold.
    QHash<QString, Role> roles() const;

    Result<TokenHolder> holderOf(const QString &token) const override;
    std::optional<Error> refused(const QString &id) const override;

Q_SIGNALS:
    // Made, revoked or expired: roles() says something else, and holders may have lost what they had.
    void changed();

private:
    struct Kept {
        TokenRow row;
        QByteArray digest;
    };
    TokenStore(std::unique_ptr<Database> database, Clock clock);
    Result<> load();
    std::optional<Error> refused(const TokenRow &row) const;
    void watchExpiry();

    std::unique_ptr<Database> m_database;
    const Clock m_clock;
    QHash<QString, Kept> m_tokens; // id → what is kept
    QTimer m_expiry;
};

} // namespace foundry::backend
