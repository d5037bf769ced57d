// `foundry-host token create|list|revoke`: asks the host that has the data directory, over the endpoint of its connect
// file and after that host has proved itself; or, while none runs, holds the directory and does it itself.
// Answers to standard output (the token of `create` alone on its line), words to standard error. Main thread.
#pragma once

#include "backend/host/datadirlock.h"
#include "backend/host/tokenstore.h"

#include <QNetworkAccessManager>
#include <QStringList>

namespace foundry::backend {

struct TokenCommandLine {
    enum class What { Create, List, Revoke, Help };
    What what = What::Help;
    QString dataDir;
    QString connectFile;
    QString name;
    Role role = Role::Member;
    std::optional<qint64> expiresInMs;
    QString id;
    QString help;
};

// "90d", "12h", "30m", "10s", "never". Errors: input.invalid.
Result<std::optional<qint64>> parseExpiry(const QString &text);
// Without the program's name and the word "token". Errors: input.invalid.
Result<TokenCommandLine> parseTokenCommand(const QStringList &arguments);

class TokenCommand final : public QObject {
    Q_OBJECT

public:
    explicit TokenCommand(TokenCommandLine line, QObject *parent = nullptr);

    // finished() follows, within 15 seconds.
    void start();

Q_SIGNALS:
    // The exit code of the program: 0, or 1 when it failed.
    void finished(int code);

private:
    void alone();
    void lookForHost();
    void prove(const QString &endpoint, const QString &token);
    void ask(const QString &endpoint, const QString &token);
    void answered(const QByteArray &json);
    void show(const Result<MadeToken> &made);
    void show(const QList<TokenRow> &rows);
    void fail(const Error &error);

    const TokenCommandLine m_line;
    DataDirLock m_lock;
    QNetworkAccessManager m_network;
    int m_looked = 0;
};

} // namespace foundry::backend
