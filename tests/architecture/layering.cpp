#include "tests/architecture/layering.h"

#include <QList>
#include <QRegularExpression>
#include <QSet>

#include <optional>

namespace foundry::tests {

namespace {

using Words = QStringList;

/// One row of the table: the files under `place` may include our own files under `own` and headers of the Qt modules in
/// `qt`.
struct Room {
    QString place;
    Words own;
    Words qt;
    bool json = false;     // <QJson…>, <QCbor…>
    bool mayBlock = false; // not on a GUI thread: its own thread or its own program
    Words refused = {};    // single headers of an allowed module
};

Words words(const char *text)
{
    return QString::fromLatin1(text).split(QLatin1Char(' '), Qt::SkipEmptyParts);
}

/// Longest place first, so that the first match is the right one.
const QList<Room> &rooms()
{
    static const QList<Room> all = {
        {QStringLiteral("models/types"), words("models/types"), words("QtCore"), false, false,
         words("QObject QTimer QFile QDir QIODevice QProcess QSettings QThread QEvent QCoreApplication")},
        {QStringLiteral("models"), words("models"), words("QtCore"), false, false,
         words("QFile QDir QProcess QSettings QThread")},
        {QStringLiteral("realtime/protocol"), words("realtime/protocol models/types"), words("QtCore"), true, false,
         words(
             "QObject QTimer QFile QDir QIODevice QProcess QSettings QThread QEvent QCoreApplication QSocketNotifier")},
        {QStringLiteral("realtime"),
         words("realtime models/types"),
         words("QtCore QtNetwork QtWebSockets QtSql"),
         false,
         false,
         {}},
        {QStringLiteral("auth"), words("auth models/types"), words("QtCore QtNetwork QtNetworkAuth"), true, false, {}},
        {QStringLiteral("views"),
         words("views models resources"),
         words("QtCore QtGui QtWidgets QtSvg QtSvgWidgets QtDBus"),
         false,
         false,
         {}},
        {QStringLiteral("backend/launcher"),
         words("backend/launcher realtime/protocol models/types"),
         words("QtCore QtNetwork"),
         true,
         false,
         {}},
        {QStringLiteral("backend/runner"), words("backend/runner models/types"), words("QtCore"), true, true, {}},
        {QStringLiteral("backend/processes"),
         words("backend/processes backend/agents/processidentity.h models/types"),
         words("QtCore"),
         false,
         false,
         words("QProcess QThread QSettings")},
        {QStringLiteral("backend"),
         words("backend realtime/protocol models/types auth/secretstore.h"),
         words("QtCore QtNetwork QtWebSockets QtSql"),
         true,
         true,
         {}},
        {QStringLiteral("app/tour"),
         words("app auth backend/launcher models realtime resources views"),
         words("QtCore QtGui QtWidgets QtNetwork"),
         true,
         false,
         {}},
        {QStringLiteral("app"),
         words("app auth backend/launcher models realtime resources views"),
         words("QtCore QtGui QtWidgets QtNetwork QtDBus"),
         false,
         false,
         {}},
        {QStringLiteral("resources"), words("resources"), words("QtCore QtGui"), false, false, {}},
        {QStringLiteral("tests"), words("app auth backend models realtime resources tests views"), {}, true, true, {}},
    };
    return all;
}

bool isUnder(const QString &path, const QString &place)
{
    return path == place || path.startsWith(place + QLatin1Char('/'));
}

const Room *roomOf(const QString &path)
{
    for (const Room &room : rooms()) {
        if (isUnder(path, room.place)) {
            return &room;
        }
    }
    return nullptr;
}

/// The text with comments, string and character literals blanked out; line breaks stay, so that line numbers do too.
QString codeOnly(const QString &text)
{
    static const QRegularExpression skipped(
        QStringLiteral(R"RX(//[^\n]*|/\*.*?\*/|R"([^(\s]*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])+')RX"),
        QRegularExpression::DotMatchesEverythingOption);
    QString out;
    out.reserve(text.size());
    qsizetype from = 0;
    for (auto matches = skipped.globalMatch(text); matches.hasNext();) {
        const QRegularExpressionMatch match = matches.next();
        out += QStringView(text).mid(from, match.capturedStart() - from);
        out += QString(match.captured().count(QLatin1Char('\n')), QLatin1Char('\n'));
        from = match.capturedEnd();
    }
    out += QStringView(text).mid(from);
    return out;
}

int lineOf(const QString &text, qsizetype at)
{
    return int(QStringView(text).left(at).count(QLatin1Char('\n'))) + 1;
}

/// Lines that a file may have; what composes others stays small, or logic has moved into it.
int lineLimit(const QString &path)
{
    if (path == QLatin1StringView("app/main.cpp")) {
        return 80;
    }
    return path.startsWith(QLatin1StringView("views/mainwindow.")) ? 250 : 500;
}

class Reader {
public:
    Reader(QString path, const QString &text, const LayeringWorld &world)
        : m_path(std::move(path))
        , m_text(text)
        , m_world(world)
        , m_room(roomOf(m_path))
    {
    }

    QStringList read()
    {
        if (m_room == nullptr) {
            complain(0, QStringLiteral("no row of the table knows this folder"));
            return m_complaints;
        }
        readIncludes();
        readWords();
        const int lines = int(m_text.count(QLatin1Char('\n')));
        if (lines > lineLimit(m_path)) {
            complain(lines, QStringLiteral("%1 lines, at most %2").arg(lines).arg(lineLimit(m_path)));
        }
        return m_complaints;
    }

private:
    void complain(int line, const QString &what) { m_complaints << QStringLiteral("line %1: %2").arg(line).arg(what); }

    void readIncludes()
    {
        static const QRegularExpression include(QStringLiteral(R"RX(^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"])RX"),
                                                QRegularExpression::MultilineOption);
        for (auto matches = include.globalMatch(m_text); matches.hasNext();) {
            const QRegularExpressionMatch match = matches.next();
            const int line = lineOf(m_text, match.capturedStart(1));
            if (match.captured(1) == QLatin1StringView("\"")) {
                ownInclude(line, match.captured(2));
            } else {
                systemInclude(line, match.captured(2));
            }
        }
    }

    void ownInclude(int line, const QString &name)
    {
        if (name.endsWith(QLatin1StringView(".moc"))) {
            return;
        }
        if (name.endsWith(QLatin1StringView(".cpp"))) {
            complain(line, QStringLiteral("includes a source file: %1").arg(name));
        }
        if (!m_world.exists(name)) {
            complain(line, QStringLiteral("\"%1\" is not a path from the root of the tree").arg(name));
            return;
        }
        // A place inside an allowed one can be closed: "models" is open to views, "backend/…" opens folder by folder.
        for (const QString &place : m_room->own) {
            if (isUnder(name, place)) {
                return;
            }
        }
        complain(line, QStringLiteral("%1 must not include %2").arg(m_room->place, name));
    }

    void systemInclude(int line, const QString &name)
    {
        if (name.startsWith(QLatin1StringView("Qt")) && name.contains(QLatin1Char('/'))) {
            complain(line, QStringLiteral("<%1>: write <%2>").arg(name, name.section(QLatin1Char('/'), 1)));
            return;
        }
        if (!name.startsWith(QLatin1Char('Q'))) {
            return;
        }
        const QString module = m_world.qtModule(name);
        if (module == name) {
            complain(line, QStringLiteral("<%1> is an umbrella header").arg(name));
            return;
        }
        if ((name.startsWith(QLatin1StringView("QJson")) || name.startsWith(QLatin1StringView("QCbor"))) &&
            !m_room->json) {
            complain(line,
                     QStringLiteral("%1 must not include <%2>: it takes values, not JSON").arg(m_room->place, name));
        }
        if (m_room->refused.contains(name)) {
            complain(line, QStringLiteral("%1 must not include <%2>").arg(m_room->place, name));
        } else if (!module.isEmpty() && !m_room->qt.isEmpty() && !m_room->qt.contains(module)) {
            complain(line, QStringLiteral("%1 must not include <%2> of %3").arg(m_room->place, name, module));
        }
    }

    void readWords()
    {
        if (m_room->mayBlock) {
            return;
        }
        // Each of these can stop the GUI thread or turn its event loop inside out.
        static const QRegularExpression blocking(
            QStringLiteral(R"RX(\bwaitFor\w*\s*\(|\bprocessEvents\b|\bQEventLoop\b|(?:\.|->|::)exec\s*\()RX"));
        const bool isMain = m_path == QLatin1StringView("app/main.cpp");
        const QString code = codeOnly(m_text);
        for (auto matches = blocking.globalMatch(code); matches.hasNext();) {
            const QRegularExpressionMatch match = matches.next();
            const QString found = match.captured();
            // The one event loop of the program; and a prepared SQL statement is executed, on the cache's own thread.
            if (found.contains(QLatin1StringView("exec")) &&
                (isMain || isUnder(m_path, QStringLiteral("realtime/cache")))) {
                continue;
            }
            complain(lineOf(code, match.capturedStart()), QStringLiteral("%1 waits on the GUI thread").arg(found));
        }
    }

    QString m_path;
    const QString &m_text;
    const LayeringWorld &m_world;
    const Room *m_room;
    QStringList m_complaints;
};

} // namespace

QStringList layeringComplaints(const QString &path, const QString &text, const LayeringWorld &world)
{
    return Reader(path, text, world).read();
}

QString layeringPlace(const QString &path)
{
    const Room *room = roomOf(path);
    return room == nullptr ? QString() : room->place;
}

} // namespace foundry::tests
