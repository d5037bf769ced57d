// Reads the #include lines and a few words of the whole tree against the table in docs/ARCHITECTURE.md, one row per
// file.
#include "tests/architecture/layering.h"

#include <QDir>
#include <QDirIterator>
#include <QFile>
#include <QFileInfo>
#include <QLibraryInfo>
#include <QTest>

using foundry::tests::layeringComplaints;
using foundry::tests::layeringPlace;
using foundry::tests::LayeringWorld;

namespace {

QString root()
{
    return QStringLiteral(FOUNDRY_SOURCE_DIR);
}

/// Which Qt module has a header: one of <prefix>/QtCore/QString, … An umbrella header is named like its folder.
QString qtModuleOf(const QString &header)
{
    static const QStringList modules =
        QDir(QLibraryInfo::path(QLibraryInfo::HeadersPath)).entryList({QStringLiteral("Qt*")}, QDir::Dirs);
    for (const QString &module : modules) {
        if (QFile::exists(QLibraryInfo::path(QLibraryInfo::HeadersPath) + QLatin1Char('/') + module + QLatin1Char('/') +
                          header)) {
            return module;
        }
    }
    return {};
}

LayeringWorld world()
{
    return {qtModuleOf, [](const QString &path) {
                return QFileInfo(root() + QLatin1Char('/') + path).isFile();
            }};
}

QStringList sources()
{
    QStringList found;
    for (const char *folder : {"app", "auth", "backend", "models", "realtime", "resources", "tests", "views"}) {
        const QString start = root() + QLatin1Char('/') + QLatin1StringView(folder);
        QDirIterator files(start, {QStringLiteral("*.h"), QStringLiteral("*.cpp")}, QDir::Files,
                           QDirIterator::Subdirectories);
        while (files.hasNext()) {
            const QString path = QDir(root()).relativeFilePath(files.next());
            if (!path.contains(QLatin1StringView("node_modules"))) {
                found << path;
            }
        }
    }
    found.sort();
    return found;
}

} // namespace

class TestLayering : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void qtIsFound();
    void everyPlaceIsKnown_data();
    void everyPlaceIsKnown();
    void badSampleIsCaught_data();
    void badSampleIsCaught();
    void goodSampleIsLeftAlone_data();
    void goodSampleIsLeftAlone();
    void file_data();
    void file();
};

void TestLayering::qtIsFound()
{
    // Without Qt's headers every rule about modules would pass for nothing.
    QCOMPARE(qtModuleOf(QStringLiteral("QString")), QStringLiteral("QtCore"));
    QCOMPARE(qtModuleOf(QStringLiteral("QWidget")), QStringLiteral("QtWidgets"));
    QCOMPARE(qtModuleOf(QStringLiteral("QtWidgets")), QStringLiteral("QtWidgets"));
    QVERIFY(qtModuleOf(QStringLiteral("QNoSuchThing")).isEmpty());
    QVERIFY(sources().size() > 20);
}

void TestLayering::everyPlaceIsKnown_data()
{
    QTest::addColumn<QString>("path");
    QTest::addColumn<QString>("place");
    QTest::newRow("types") << QStringLiteral("models/types/task.h") << QStringLiteral("models/types");
    QTest::newRow("models") << QStringLiteral("models/tasklistmodel.cpp") << QStringLiteral("models");
    QTest::newRow("launcher") << QStringLiteral("backend/launcher/hostlauncher.cpp")
                              << QStringLiteral("backend/launcher");
    QTest::newRow("host") << QStringLiteral("backend/host/server.cpp") << QStringLiteral("backend");
    QTest::newRow("similar name") << QStringLiteral("models/typesetting.h") << QStringLiteral("models");
    QTest::newRow("unknown") << QStringLiteral("attic/old.cpp") << QString();
}

void TestLayering::everyPlaceIsKnown()
{
    QFETCH(QString, path);
    QFETCH(QString, place);
    QCOMPARE(layeringPlace(path), place);
}

void TestLayering::badSampleIsCaught_data()
{
    QTest::addColumn<QString>("path");
    QTest::addColumn<QString>("text");
    QTest::addColumn<QString>("complaint");
    const auto row = [](const char *name, const char *path, const char *text, const char *complaint) {
        QTest::newRow(name) << QString::fromLatin1(path) << QString::fromLatin1(text) << QString::fromLatin1(complaint);
    };
    row("views to realtime", "views/task/x.cpp", "#include \"realtime/protocol/codec.h\"\n",
        "views must not include realtime");
    row("models to views", "models/x.h", "#pragma once\n#include \"views/x.h\"\n", "not a path from the root");
    row("models to protocol", "models/x.h", "#include \"realtime/protocol/codec.h\"\n",
        "models must not include realtime");
    row("types to models", "models/types/x.h", "#include \"tests/architecture/layering.h\"\n",
        "models/types must not include tests");
    row("types to QObject", "models/types/x.h", "#include <QObject>\n", "models/types must not include <QObject>");
    row("models to widgets", "models/x.cpp", "\n\n  # include <QWidget>\n",
        "line 3: models must not include <QWidget> of QtWidgets");
    row("protocol to sockets", "realtime/protocol/x.cpp", "#include <QTcpSocket>\n", "of QtNetwork");
    row("protocol to connection", "realtime/protocol/x.cpp", "#include \"backend/actors/actor.h\"\n",
        "must not include backend");
    row("host to window", "backend/host/x.cpp", "#include <QWidget>\n", "of QtWidgets");
    row("host to models", "backend/host/x.cpp", "#include \"tests/architecture/layering.h\"\n",
        "backend must not include tests");
    row("launcher to host", "backend/launcher/x.cpp", "#include \"backend/actors/actor.h\"\n",
        "backend/launcher must not include");
    row("app to host", "app/wiring/x.cpp", "#include \"backend/actors/actor.h\"\n", "app must not include backend");
    row("JSON in a view", "views/x.cpp", "#include <QJsonObject>\n", "values, not JSON");
    row("JSON in a feed", "realtime/feeds/x.cpp", "#include <QJsonObject>\n", "values, not JSON");
    row("CBOR in a model", "models/x.cpp", "#include <QCborValue>\n", "values, not JSON");
    row("umbrella", "views/x.cpp", "#include <QtWidgets>\n", "umbrella");
    row("module path", "views/x.cpp", "#include <QtCore/QString>\n", "write <QString>");
    row("short name", "views/x.cpp", "#include \"x.h\"\n", "not a path from the root");
    row("source file", "tests/x.cpp", "#include \"tests/architecture/layering.cpp\"\n", "includes a source file");
    row("waitFor", "realtime/x.cpp", "void f() { socket->waitForConnected(100); }\n", "waitForConnected( waits");
    row("processEvents", "app/x.cpp", "QCoreApplication::processEvents();\n", "processEvents");
    row("event loop", "views/x.cpp", "\nQEventLoop loop;\n", "line 2: QEventLoop");
    row("dialog", "views/x.cpp", "dialog.exec();\n", ".exec( waits");
    row("static exec", "app/application.cpp", "QMenu::exec(actions);\n", "::exec( waits");
    row("after a comment", "views/x.cpp", "/* one\n two */ menu->exec(); // exec\n", "line 2: ->exec(");
    row("unknown folder", "attic/x.cpp", "\n", "no row of the table");
    QTest::newRow("long file") << QStringLiteral("views/x.cpp") << QString(501, QLatin1Char('\n'))
                               << QStringLiteral("501 lines");
    QTest::newRow("long main") << QStringLiteral("app/main.cpp") << QString(81, QLatin1Char('\n'))
                               << QStringLiteral("at most 80");
    QTest::newRow("long shell") << QStringLiteral("views/mainwindow.cpp") << QString(251, QLatin1Char('\n'))
                                << QStringLiteral("at most 250");
}

void TestLayering::badSampleIsCaught()
{
    QFETCH(QString, path);
    QFETCH(QString, text);
    QFETCH(QString, complaint);
    const QStringList complaints = layeringComplaints(path, text, world());
    QCOMPARE(complaints.size(), 1);
    QVERIFY2(complaints.first().contains(complaint), qPrintable(complaints.first()));
}

void TestLayering::goodSampleIsLeftAlone_data()
{
    QTest::addColumn<QString>("path");
    QTest::addColumn<QString>("text");
    const auto row = [](const char *name, const char *path, const char *text) {
        QTest::newRow(name) << QString::fromLatin1(path) << QString::fromLatin1(text);
    };
    row("types in views", "views/x.cpp", "#include \"models/types/task.h\"\n#include <QWidget>\n#include <vector>\n");
    row("codec in host", "backend/host/x.cpp",
        "#include \"realtime/protocol/codec.h\"\n#include <QJsonObject>\n#include <QWebSocketServer>\n");
    row("moc", "tests/x.cpp", "#include \"x.moc\"\n");
    row("in a comment", "views/x.cpp", "// never exec() or waitForFinished( or QEventLoop\n/* a.exec() */\n");
    row("in a string", "views/x.cpp", "auto s = \"menu.exec() \\\" processEvents\"; auto c = '\"';\n");
    row("in a raw string", "views/x.cpp", "auto s = R\"(menu.exec()\n\"processEvents)\";\n");
    row("main", "app/main.cpp", "return QApplication::exec();\n");
    row("similar word", "views/x.cpp", "executor.execute(); awaitFor(x); int exec = 1;\n");
    QTest::newRow("500 lines") << QStringLiteral("views/x.cpp") << QString(500, QLatin1Char('\n'));
}

void TestLayering::goodSampleIsLeftAlone()
{
    QFETCH(QString, path);
    QFETCH(QString, text);
    QCOMPARE(layeringComplaints(path, text, world()), QStringList());
}

void TestLayering::file_data()
{
    QTest::addColumn<QString>("path");
    for (const QString &path : sources()) {
        QTest::newRow(qPrintable(path)) << path;
    }
}

void TestLayering::file()
{
    QFETCH(QString, path);
    QFile source(root() + QLatin1Char('/') + path);
    QVERIFY2(source.open(QIODevice::ReadOnly), qPrintable(source.errorString()));
    const QStringList complaints = layeringComplaints(path, QString::fromUtf8(source.readAll()), world());
    QVERIFY2(complaints.isEmpty(),
             qPrintable(path + QLatin1StringView(":\n  ") + complaints.join(QLatin1StringView("\n  "))));
}

QTEST_GUILESS_MAIN(TestLayering)
#include "tst_layering.moc"
