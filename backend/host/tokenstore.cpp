#include "backend/host/tokenstore.h"

#include "backend/store/database.h"

#include <QCryptographicHash>
#include <QDateTime>
#include <QFile>
#include <QLoggingCategory>
#include <QRandomGenerator>
#include <QRegularExpression>

#include <algorithm>

namespace foundry::backend {

Q_LOGGING_CATEGORY(lcTokens, "foundry.host.tokens")

namespace {

constexpr qint64 kDayMs = 24LL * 3600 * 1000;
constexpr qint64 kKeptMs = 30 * kDayMs;    // of no use any more
constexpr qint64 kLookAgainMs = 3600000;   // a clock that was set is seen after that at the latest
constexpr qsizetype kTokenLimit = 10000;

QString tokenstoreRandom(int bytes)
{
    QByteArray random(bytes, '\0');
    for (char &byte : random)
        byte = char(QRandomGenerator::system()->generate());
    return QString::fromLatin1(random.toHex());
}

QByteArray tokenstoreDigest(const QString &token)
{
    return QCryptographicHash::hash(token.toUtf8(), QCryptographicHash::Sha256);
}

// fdt_ID_SECRET
QString tokenstoreId(const QString &token)
{
    const QStringList parts = token.split(QLatin1Char('_'));
    return parts.size() == 3 && parts.at(0) == QLatin1StringView("fdt") ? parts.at(1) : QString();
}

Error tokenstoreInvalid(const QString &field, const QString &message, const QString &way = {})
{
    return makeError(QLatin1StringView("input"), QLatin1StringView("invalid"), message, way, field);
}

Error tokenstoreRefused(QLatin1StringView code, const QString &message)
{
    return makeError(QLatin1StringView("auth"), code, message,
        QStringLiteral("Ask whoever runs the host for a new one (foundry-host token create), and enter it."));
}

} // namespace

bool isTokenName(const QString &name)
{
    static const QRegularExpression shape(QStringLiteral("\\A[A-Za-z0-9][A-Za-z0-9._@-]{0,63}\\z"));
    return shape.match(name).hasMatch();
}

bool isTokenUser(const QString &user)
{
    return user.startsWith(QLatin1StringView("token:")) && isTokenName(user.mid(6));
}

TokenStore::TokenStore(std::unique_ptr<Database> database, Clock clock)
    : m_database(std::move(database))
    , m_clock(std::move(clock))
{
    m_expiry.setSingleShot(true);
    connect(&m_expiry, &QTimer::timeout, this, [this] {
        watchExpiry();
        Q_EMIT changed();
    });
}

TokenStore::~TokenStore() = default;

Result<std::unique_ptr<TokenStore>> TokenStore::open(const QString &dataDir, Clock clock)
{
    DatabaseOptions options;
    options.durability = Durability::Full; // what was revoked stays revoked
    auto database = Database::open(dataDir + QStringLiteral("/tokens.db"), options);
    if (!database)
        return database.error();
    if (const QString aside = (*database)->setAside(); !aside.isEmpty())
        qCWarning(lcTokens, "the tokens could not be read and are none now; the damaged file is %ls", qUtf16Printable(aside));
    QFile::setPermissions((*database)->path(), QFileDevice::ReadOwner | QFileDevice::WriteOwner);
    auto migrated = (*database)->migrate(QStringLiteral("tokens"),
        {QStringLiteral("CREATE TABLE tokens(id TEXT PRIMARY KEY, user TEXT NOT NULL, role TEXT NOT NULL, digest BLOB NOT NULL,"
                        " created_at INTEGER NOT NULL, expires_at INTEGER, revoked_at INTEGER) WITHOUT ROWID")});
    if (!migrated)
        return migrated.error();
    std::unique_ptr<TokenStore> store(new TokenStore(std::move(*database), std::move(clock)));
    if (auto loaded = store->load(); !loaded)
        return loaded.error();
    store->watchExpiry();
    return store;
}

Result<> TokenStore::load()
{
    const qint64 useless = m_clock() - kKeptMs;
    if (auto dropped = m_database->run("DELETE FROM tokens WHERE expires_at < ? OR revoked_at < ?", useless, useless); !dropped)
        return dropped;
    auto q = m_database->query("SELECT id, user, role, digest, created_at, expires_at, revoked_at FROM tokens");
    while (q.next()) {
        const TokenRow row{q.text(0), q.text(1), roleFromText(q.text(2)), q.integer(4), q.optionalInteger(5), q.optionalInteger(6)};
        m_tokens.insert(row.id, Kept{row, q.bytes(3)});
    }
    return q.result();
}

Result<MadeToken> TokenStore::create(const QString &name, Role role, std::optional<qint64> expiresAt)
{
    if (!isTokenName(name))
        return tokenstoreInvalid(QStringLiteral("user"), QStringLiteral("“%1” is no name for a user.").arg(name.left(80)),
            QStringLiteral("Use at most 64 letters, digits, dots, hyphens, underscores and @, beginning with a letter or a digit."));
    if (role == Role::None)
        return tokenstoreInvalid(QStringLiteral("role"), QStringLiteral("There is no such role."),
            QStringLiteral("Roles are member, admin and owner."));
    const qint64 now = m_clock();
    if (expiresAt && *expiresAt <= now)
        return tokenstoreInvalid(QStringLiteral("expires"), QStringLiteral("A token that has expired already is of no use."));
    if (m_tokens.size() >= kTokenLimit)
        return makeError(QLatin1StringView("state"), QLatin1StringView("conflict"),
            QStringLiteral("There are %1 tokens already.").arg(m_tokens.size()), QStringLiteral("Give tokens to fewer users, or let old ones run out."));
    MadeToken made{{tokenstoreRandom(6), QStringLiteral("token:") + name, role, now, expiresAt, std::nullopt}, {}};
    made.text = QStringLiteral("fdt_%1_%2").arg(made.row.id, tokenstoreRandom(32));
    const QByteArray digest = tokenstoreDigest(made.text);
    if (auto kept = m_database->run("INSERT INTO tokens(id, user, role, digest, created_at, expires_at) VALUES(?, ?, ?, ?, ?, ?)",
            made.row.id, made.row.user, roleText(role), Blob{digest}, now, expiresAt);
        !kept)
        return kept.error();
    m_tokens.insert(made.row.id, Kept{made.row, digest});
    watchExpiry();
    qCInfo(lcTokens, "token %ls made for %ls as %ls", qUtf16Printable(made.row.id), qUtf16Printable(made.row.user),
        qUtf16Printable(roleText(role)));
    Q_EMIT changed();
    return made;
}

Result<> TokenStore::revoke(const QString &id)
{
    const auto found = m_tokens.find(id);
    if (found == m_tokens.end())
        return tokenstoreInvalid(QStringLiteral("id"), QStringLiteral("There is no token “%1”.").arg(id.left(64)),
            QStringLiteral("foundry-host token list shows the ids."));
    if (found->row.revokedAt)
        return Unit{};
    const qint64 now = m_clock();
    if (auto kept = m_database->run("UPDATE tokens SET revoked_at = ? WHERE id = ?", now, id); !kept)
        return kept;
    found->row.revokedAt = now;
    qCInfo(lcTokens, "token %ls of %ls revoked", qUtf16Printable(id), qUtf16Printable(found->row.user));
    watchExpiry();
    Q_EMIT changed();
    return Unit{};
}

QList<TokenRow> TokenStore::rows() const
{
    QList<TokenRow> all;
    for (const Kept &kept : m_tokens)
        all.append(kept.row);
    std::sort(all.begin(), all.end(), [](const TokenRow &a, const TokenRow &b) {
        return a.createdAt != b.createdAt ? a.createdAt < b.createdAt : a.id < b.id;
    });
    return all;
}

QHash<QString, Role> TokenStore::roles() const
{
    QHash<QString, Role> all;
    for (const Kept &kept : m_tokens) {
        if (!refused(kept.row))
            all[kept.row.user] = std::max(all.value(kept.row.user, Role::None), kept.row.role);
    }
    return all;
}

Result<TokenHolder> TokenStore::holderOf(const QString &token) const
{
    // Found by what is public of it; what is secret is compared as a whole.
    const auto found = m_tokens.constFind(tokenstoreId(token));
    if (found == m_tokens.cend() || !equalInConstantTime(found->digest, tokenstoreDigest(token)))
        return tokenstoreRefused(QLatin1StringView("unauthorized"), QStringLiteral("This host does not know the token."));
    if (auto why = refused(found->row))
        return *why;
    return TokenHolder{found->row.user, found->row.id};
}

std::optional<Error> TokenStore::refused(const QString &id) const
{
    const auto found = m_tokens.constFind(id);
    if (found == m_tokens.cend())
        return tokenstoreRefused(QLatin1StringView("unauthorized"), QStringLiteral("This host does not know the token."));
    return refused(found->row);
}

std::optional<Error> TokenStore::refused(const TokenRow &row) const
{
    if (row.revokedAt)
        return tokenstoreRefused(QLatin1StringView("unauthorized"), QStringLiteral("The token was revoked."));
    if (row.expiresAt && *row.expiresAt <= m_clock())
        return tokenstoreRefused(QLatin1StringView("expired"),
            QStringLiteral("The token expired on %1.")
                .arg(QDateTime::fromMSecsSinceEpoch(*row.expiresAt, Qt::UTC).toString(Qt::ISODate)));
    return std::nullopt;
}

void TokenStore::watchExpiry()
{
    const qint64 now = m_clock();
    std::optional<qint64> next;
    for (const Kept &kept : std::as_const(m_tokens)) {
        const auto &at = kept.row.expiresAt;
        if (at && !kept.row.revokedAt && *at > now && (!next || *at < *next))
            next = at;
    }
    if (next)
        m_expiry.start(int(std::min(*next - now + 1, kLookAgainMs)));
    else
        m_expiry.stop();
}

} // namespace foundry::backend
