// HTTP/1.1 as far as a loopback server of small JSON needs it: heads, bodies by length or in chunks, answers. No I/O.
#pragma once

#include <QByteArray>
#include <QByteArrayView>
#include <QList>
#include <QPair>
#include <optional>

namespace foundry::backend {

struct HttpHead {
    QByteArray method;
    QByteArray target; // as sent: path and query
    int minorVersion = 1;
    QList<QPair<QByteArray, QByteArray>> headers; // names in lower case, values trimmed

    // The first header of that name; several are joined with ", ".
    QByteArray header(QByteArrayView name) const;
    bool has(QByteArrayView name) const;
    bool headerHasToken(QByteArrayView name, QByteArrayView token) const;
    bool isWebSocketUpgrade() const;
    bool keepAlive() const;
};

// Reads the head at the beginning of `buffer`.
struct HttpHeadResult {
    enum class State { NeedMore, Complete, Invalid, TooLarge } state = State::NeedMore;
    HttpHead head;
    qsizetype length = 0; // bytes of the head with its empty line
};
constexpr qsizetype kHttpHeadLimit = 16 * 1024;
HttpHeadResult parseHttpHead(QByteArrayView buffer);

// Takes a body out of the stream, piece by piece.
class HttpBodyReader {
public:
    enum class State { NeedMore, Complete, Invalid, TooLarge };

    HttpBodyReader() = default;
    // Invalid when the head's framing is contradictory (both lengths, several lengths, an unknown coding).
    HttpBodyReader(const HttpHead &head, qsizetype limit);

    State state() const { return m_state; }
    // Consumes from the front of `buffer` what belongs to the body.
    State feed(QByteArray &buffer);
    const QByteArray &body() const { return m_body; }

private:
    State feedChunks(QByteArray &buffer);

    enum class Expect { Size, Data, DataEnd, Trailer };
    State m_state = State::Complete;
    bool m_chunked = false;
    qsizetype m_limit = 0;
    qsizetype m_left = 0;
    Expect m_expect = Expect::Size;
    QByteArray m_body;
};

QByteArray httpReason(int status);
QByteArray encodeHttpResponse(int status, const QByteArray &contentType, const QByteArray &body,
    const QList<QPair<QByteArray, QByteArray>> &headers, bool keepAlive);

// "a=1&b=%20x+y": names and values decoded, '+' is a space.
QList<QPair<QString, QString>> parseQuery(QByteArrayView query);

} // namespace foundry::backend
