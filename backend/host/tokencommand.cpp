#include "backend/host/tokencommand.h"

#include "backend/host/connectfile.h"
#include "backend/host/hostoptions.h"
#include "backend/host/tokendesk.h"
#include "realtime/protocol/frame.h"
#include "realtime/protocol/manager.h"

#include <QCommandLineParser>
#include <QDateTime>
#include <QDir>
#include <QMessageAuthenticationCode>
#include <QNetworkProxy>
#include <QNetworkReply>
#include <QRandomGenerator>
#include <QRegularExpression>

#include <cstdio>

namespace foundry::backend {

namespace {

constexpr int kAnswerMs = 5000;
constexpr int kLookEveryMs = 100;
constexpr int kLooks = 50; // a host that comes up has its connect file by then

Error tokencommandInvalid(const QString &message)
{
    return makeError(QLatin1StringView("input"), QLatin1StringView("invalid"), message,
        QStringLiteral("foundry-host token --help shows what can be said."));
}

void tokencommandPrint(std::FILE *where, const QString &line)
{
    const QByteArray utf8 = line.toUtf8() + '\n';
    std::fwrite(utf8.constData(), 1, size_t(utf8.size()), where);
    std::fflush(where);
}

QString tokencommandTime(qint64 at)
{
    return QDateTime::fromMSecsSinceEpoch(at, Qt::UTC).toString(Qt::ISODate);
}

QString tokencommandState(const TokenRow &row, qint64 now)
{
    if (row.revokedAt)
        return QStringLiteral("revoked %1").arg(tokencommandTime(*row.revokedAt));
    if (row.expiresAt && *row.expiresAt <= now)
        return QStringLiteral("expired");
    return QStringLiteral("good");
}

QString tokencommandHelp()
{
    return QStringLiteral("Usage: foundry-host token create --user NAME [--expires 90d|12h|never] [--role member|admin|owner]\n"
                          "       foundry-host token list\n"
                          "       foundry-host token revoke ID\n"
                          "Tokens let other machines and people use this host. The text of a token is shown once, when it is made.\n"
                          "  --expires TIME       how long it holds (default: 90d)\n"
                          "  --role ROLE          what its user may do (default: member)\n"
                          "  --data-dir DIR       of the host (default: %1)\n"
                          "  --connect-file FILE  of the host, if it was started with one")
        .arg(defaultDataDir());
}

} // namespace

Result<std::optional<qint64>> parseExpiry(const QString &text)
{
    if (text == QLatin1StringView("never"))
        return std::optional<qint64>();
    static const QRegularExpression shape(QStringLiteral("\\A([1-9][0-9]{0,6})([smhd])\\z"));
    const auto match = shape.match(text);
    if (!match.hasMatch())
        return tokencommandInvalid(QStringLiteral("“%1” is no time such as 90d, 12h, 30m or never.").arg(text.left(40)));
    qint64 seconds = match.captured(1).toLongLong();
    switch (match.captured(2).at(0).toLatin1()) {
    case 'd':
        seconds *= 24;
        [[fallthrough]];
    case 'h':
        seconds *= 60;
        [[fallthrough]];
    case 'm':
        seconds *= 60;
        break;
    default:
        break;
    }
    return std::optional<qint64>(seconds * 1000);
}

Result<TokenCommandLine> parseTokenCommand(const QStringList &arguments)
{
    QCommandLineParser parser;
    const QCommandLineOption user(QStringLiteral("user"), {}, QStringLiteral("NAME"));
    const QCommandLineOption expires(QStringLiteral("expires"), {}, QStringLiteral("TIME"), QStringLiteral("90d"));
    const QCommandLineOption role(QStringLiteral("role"), {}, QStringLiteral("ROLE"), QStringLiteral("member"));
    const QCommandLineOption dataDir(QStringLiteral("data-dir"), {}, QStringLiteral("DIR"), defaultDataDir());
    const QCommandLineOption connectFile(QStringLiteral("connect-file"), {}, QStringLiteral("FILE"));
    const QCommandLineOption help({QStringLiteral("h"), QStringLiteral("help")}, {});
    parser.addOptions({user, expires, role, dataDir, connectFile, help});
    if (!parser.parse(QStringList{QStringLiteral("foundry-host token")} + arguments))
        return tokencommandInvalid(parser.errorText() + QLatin1Char('.'));
    TokenCommandLine line;
    line.help = tokencommandHelp();
    const QStringList words = parser.positionalArguments();
    if (parser.isSet(help) || words.isEmpty())
        return line;
    line.dataDir = QDir::cleanPath(QDir::current().absoluteFilePath(parser.value(dataDir)));
    line.connectFile = parser.isSet(connectFile) ? QDir::cleanPath(QDir::current().absoluteFilePath(parser.value(connectFile)))
                                                 : line.dataDir + QStringLiteral("/host.json");
    const QString verb = words.at(0);
    if (verb == QLatin1StringView("create") && words.size() == 1) {
        line.what = TokenCommandLine::What::Create;
        line.name = parser.value(user);
        if (line.name.isEmpty())
            return tokencommandInvalid(QStringLiteral("--user says whose token it is."));
        line.role = roleFromText(parser.value(role));
        if (line.role == Role::None)
            return tokencommandInvalid(QStringLiteral("“%1” is no role; there are member, admin and owner.").arg(parser.value(role).left(40)));
        auto time = parseExpiry(parser.value(expires));
        if (!time)
            return time.error();
        line.expiresInMs = *time;
    } else if (verb == QLatin1StringView("list") && words.size() == 1) {
        line.what = TokenCommandLine::What::List;
    } else if (verb == QLatin1StringView("revoke") && words.size() == 2) {
        line.what = TokenCommandLine::What::Revoke;
        line.id = words.at(1);
        // Somebody may give the token itself: what is needed of it is its id.
        if (line.id.startsWith(QLatin1StringView("fdt_")))
            line.id = line.id.section(QLatin1Char('_'), 1, 1);
    } else {
        return tokencommandInvalid(QStringLiteral("“%1” is not something to do with tokens.").arg(words.join(QLatin1Char(' ')).left(80)));
    }
    return line;
}

TokenCommand::TokenCommand(TokenCommandLine line, QObject *parent)
    : QObject(parent)
    , m_line(std::move(line))
{
    m_network.setProxy(QNetworkProxy::NoProxy); // a host of this machine
}

void TokenCommand::start()
{
    if (m_line.what == TokenCommandLine::What::Help) {
        tokencommandPrint(stdout, m_line.help);
        Q_EMIT finished(0);
        return;
    }
    if (m_line.what != TokenCommandLine::What::Create && !QDir(m_line.dataDir).exists()) {
        fail(tokencommandInvalid(QStringLiteral("There is no host's data in %1.").arg(m_line.dataDir)));
        return;
    }
    if (const auto locked = m_lock.acquire(m_line.dataDir))
        alone();
    else if (locked.error().code == QLatin1StringView("locked"))
        lookForHost();
    else
        fail(locked.error());
}

void TokenCommand::alone()
{
    auto store = TokenStore::open(m_line.dataDir, &QDateTime::currentMSecsSinceEpoch);
    if (!store) {
        fail(store.error());
        return;
    }
    switch (m_line.what) {
    case TokenCommandLine::What::Create: {
        std::optional<qint64> at;
        if (m_line.expiresInMs)
            at = QDateTime::currentMSecsSinceEpoch() + *m_line.expiresInMs;
        show((*store)->create(m_line.name, m_line.role, at));
        return;
    }
    case TokenCommandLine::What::List:
        show((*store)->rows());
        return;
    default:
        break;
    }
    if (auto done = (*store)->revoke(m_line.id); !done)
        fail(done.error());
    else
        answered({});
}

void TokenCommand::lookForHost()
{
    const auto content = readConnectFile(m_line.connectFile);
    if (content) {
        prove(content->endpoint, content->token);
    } else if (content.error().code == QLatin1StringView("not_ready") && ++m_looked < kLooks) {
        QTimer::singleShot(kLookEveryMs, this, &TokenCommand::lookForHost);
    } else {
        fail(content.error());
    }
}

void TokenCommand::prove(const QString &endpoint, const QString &token)
{
    QByteArray challenge(32, '\0');
    for (char &byte : challenge)
        byte = char(QRandomGenerator::system()->generate());
    QNetworkRequest request(QUrl(endpoint + QStringLiteral("/metadata?challenge=") + QString::fromLatin1(challenge.toHex())));
    request.setTransferTimeout(kAnswerMs);
    QNetworkReply *reply = m_network.get(request);
    connect(reply, &QNetworkReply::finished, this, [this, reply, challenge, endpoint, token] {
        reply->deleteLater();
        const auto metadata = protocol::decodeMetadata(reply->readAll());
        const QByteArray proof = QMessageAuthenticationCode::hash(challenge, token.toUtf8(), QCryptographicHash::Sha256).toHex();
        if (metadata && metadata->proof && equalInConstantTime(metadata->proof->toLatin1(), proof)) {
            ask(endpoint, token);
            return;
        }
        fail(makeError(QLatin1StringView("client"), QLatin1StringView("unreachable"),
            QStringLiteral("The host that has %1 does not answer at %2.").arg(m_line.dataDir, endpoint),
            QStringLiteral("Try again, or stop it first.")));
    });
}

void TokenCommand::ask(const QString &endpoint, const QString &token)
{
    using What = TokenCommandLine::What;
    QString path = QStringLiteral("/tokens");
    QByteArray body;
    if (m_line.what == What::Revoke) {
        path += QLatin1Char('/') + QString::fromLatin1(QUrl::toPercentEncoding(m_line.id));
    } else if (m_line.what == What::Create) {
        std::optional<qint64> at;
        if (m_line.expiresInMs)
            at = QDateTime::currentMSecsSinceEpoch() + *m_line.expiresInMs;
        body = encodeTokenWish(m_line.name, m_line.role, at);
    }
    QNetworkRequest request(QUrl(endpoint + path));
    request.setTransferTimeout(kAnswerMs);
    request.setRawHeader("Authorization", "Bearer " + token.toUtf8());
    request.setHeader(QNetworkRequest::ContentTypeHeader, QStringLiteral("application/json"));
    QNetworkReply *reply = m_line.what == What::List ? m_network.get(request)
        : m_line.what == What::Create               ? m_network.post(request, body)
                                                    : m_network.deleteResource(request);
    connect(reply, &QNetworkReply::finished, this, [this, reply] {
        reply->deleteLater();
        const int status = reply->attribute(QNetworkRequest::HttpStatusCodeAttribute).toInt();
        const QByteArray answer = reply->isOpen() ? reply->readAll() : QByteArray();
        if (status == 200) {
            answered(answer);
        } else if (status == 404) {
            fail(makeError(QLatin1StringView("state"), QLatin1StringView("not_available"), QStringLiteral("The running host knows nothing of tokens."),
                QStringLiteral("It is of an older version: stop it, and it comes back as this one.")));
        } else if (status == 0) {
            fail(makeError(QLatin1StringView("client"), QLatin1StringView("unreachable"),
                QStringLiteral("The host did not answer: %1.").arg(reply->errorString()), QStringLiteral("Try again.")));
        } else {
            fail(protocol::decodeErrorBody(answer));
        }
    });
}

void TokenCommand::answered(const QByteArray &json)
{
    if (m_line.what == TokenCommandLine::What::Create) {
        show(decodeMadeToken(json));
    } else if (m_line.what == TokenCommandLine::What::List) {
        if (const auto rows = decodeTokenRows(json))
            show(*rows);
        else
            fail(rows.error());
    } else {
        tokencommandPrint(stderr, QStringLiteral("Token %1 is revoked; its connections are closed.").arg(m_line.id));
        Q_EMIT finished(0);
    }
}

void TokenCommand::show(const Result<MadeToken> &made)
{
    if (!made) {
        fail(made.error());
        return;
    }
    tokencommandPrint(stdout, made->text);
    tokencommandPrint(stderr, QStringLiteral("Token %1 for %2 (%3), good %4. This is the only time that it is shown.")
                                  .arg(made->row.id, made->row.user, roleText(made->row.role),
                                      made->row.expiresAt ? QStringLiteral("until ") + tokencommandTime(*made->row.expiresAt)
                                                          : QStringLiteral("until it is revoked")));
    Q_EMIT finished(0);
}

void TokenCommand::show(const QList<TokenRow> &rows)
{
    const qint64 now = QDateTime::currentMSecsSinceEpoch();
    for (const TokenRow &row : rows) {
        tokencommandPrint(stdout, QStringLiteral("%1  %2  %3  made %4  expires %5  %6")
                                      .arg(row.id, row.user.mid(6).leftJustified(16), roleText(row.role).leftJustified(6),
                                          tokencommandTime(row.createdAt),
                                          row.expiresAt ? tokencommandTime(*row.expiresAt) : QStringLiteral("never               "),
                                          tokencommandState(row, now)));
    }
    if (rows.isEmpty())
        tokencommandPrint(stderr, QStringLiteral("There are no tokens."));
    Q_EMIT finished(0);
}

void TokenCommand::fail(const Error &error)
{
    tokencommandPrint(stderr, QStringLiteral("foundry-host: ") + error.message + (error.action.isEmpty() ? QString() : QLatin1Char(' ') + error.action));
    Q_EMIT finished(1);
}

} // namespace foundry::backend
