#include "backend/runner/testdetection.h"

#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QJsonDocument>
#include <QJsonObject>
#include <QRegularExpression>

namespace foundry::runner {

namespace {

QByteArray detectionRead(const QString &file)
{
    QFile in(file);
    return in.open(QIODevice::ReadOnly) ? in.read(1024 * 1024) : QByteArray();
}

DetectedTest detectNode(const QDir &root)
{
    const QJsonObject package = QJsonDocument::fromJson(detectionRead(root.filePath(QStringLiteral("package.json")))).object();
    const QString script = package.value(QStringLiteral("scripts")).toObject().value(QStringLiteral("test")).toString();
    // What `npm init` writes is no test.
    if (script.isEmpty() || script.contains(QLatin1String("no test specified")))
        return {};
    QString manager = QStringLiteral("npm");
    if (root.exists(QStringLiteral("pnpm-lock.yaml")))
        manager = QStringLiteral("pnpm");
    else if (root.exists(QStringLiteral("yarn.lock")))
        manager = QStringLiteral("yarn");
    else if (root.exists(QStringLiteral("bun.lockb")) || root.exists(QStringLiteral("bun.lock")))
        return {{QStringLiteral("bun"), QStringLiteral("run"), QStringLiteral("test")}, QStringLiteral("the test script of package.json")};
    return {{manager, QStringLiteral("test")}, QStringLiteral("the test script of package.json")};
}

DetectedTest detectCtest(const QDir &root)
{
    if (!root.exists(QStringLiteral("CMakeLists.txt")))
        return {};
    QStringList candidates{QStringLiteral("build")};
    for (const QString &name : QDir(root.filePath(QStringLiteral("build"))).entryList(QDir::Dirs | QDir::NoDotAndDotDot))
        candidates.append(QStringLiteral("build/") + name);
    for (const QString &name : root.entryList({QStringLiteral("build*"), QStringLiteral("cmake-build-*"), QStringLiteral("out")}, QDir::Dirs))
        candidates.append(name);
    for (const QString &candidate : candidates) {
        if (root.exists(candidate + QStringLiteral("/CTestTestfile.cmake")))
            return {{QStringLiteral("ctest"), QStringLiteral("--test-dir"), candidate, QStringLiteral("--output-on-failure")},
                QStringLiteral("the CMake build in %1").arg(candidate)};
    }
    return {};
}

DetectedTest detectMake(const QDir &root)
{
    for (const auto &name : {QStringLiteral("GNUmakefile"), QStringLiteral("makefile"), QStringLiteral("Makefile")}) {
        const QString text = QString::fromUtf8(detectionRead(root.filePath(name)));
        static const QRegularExpression testRule(QStringLiteral("^test\\s*:(?!=)"), QRegularExpression::MultilineOption);
        static const QRegularExpression checkRule(QStringLiteral("^check\\s*:(?!=)"), QRegularExpression::MultilineOption);
        const QString target = testRule.match(text).hasMatch() ? QStringLiteral("test") : checkRule.match(text).hasMatch() ? QStringLiteral("check") : QString();
        if (!target.isEmpty())
            return {{QStringLiteral("make"), target}, QStringLiteral("the target “%1” of %2").arg(target, name)};
    }
    return {};
}

DetectedTest detectPython(const QDir &root)
{
    bool found = root.exists(QStringLiteral("pytest.ini")) || root.exists(QStringLiteral("conftest.py")) || root.exists(QStringLiteral("tox.ini"));
    found = found || detectionRead(root.filePath(QStringLiteral("pyproject.toml"))).contains("pytest");
    found = found || detectionRead(root.filePath(QStringLiteral("setup.cfg"))).contains("[tool:pytest]");
    for (const auto &folder : {QStringLiteral("tests"), QStringLiteral("test"), QStringLiteral(".")})
        found = found || !QDir(root.filePath(folder)).entryList({QStringLiteral("test_*.py"), QStringLiteral("*_test.py")}, QDir::Files).isEmpty();
    if (!found)
        return {};
    return {{QStringLiteral("python3"), QStringLiteral("-m"), QStringLiteral("pytest")}, QStringLiteral("the Python tests")};
}

DetectedTest detectByFile(const QDir &root)
{
    struct Known {
        const char *file;
        QStringList command;
    };
    const QList<Known> known{
        {"Cargo.toml", {QStringLiteral("cargo"), QStringLiteral("test")}},
        {"go.mod", {QStringLiteral("go"), QStringLiteral("test"), QStringLiteral("./...")}},
        {"gradlew", {QStringLiteral("./gradlew"), QStringLiteral("test")}},
        {"pom.xml", {QStringLiteral("mvn"), QStringLiteral("test")}},
        {"mix.exs", {QStringLiteral("mix"), QStringLiteral("test")}},
        {"deno.json", {QStringLiteral("deno"), QStringLiteral("test")}},
        {"build/meson-info", {QStringLiteral("meson"), QStringLiteral("test"), QStringLiteral("-C"), QStringLiteral("build")}},
        {"Rakefile", {QStringLiteral("rake"), QStringLiteral("test")}},
    };
    for (const Known &one : known) {
        if (root.exists(QLatin1String(one.file)))
            return {one.command, QLatin1String(one.file)};
    }
    return {};
}

DetectedTest detectScript(const QDir &root)
{
    for (const auto &name : {QStringLiteral("test"), QStringLiteral("test.sh"), QStringLiteral("run-tests"), QStringLiteral("run_tests.sh")}) {
        const QFileInfo info(root.filePath(name));
        if (info.isFile() && info.isExecutable())
            return {{QStringLiteral("./") + name}, QStringLiteral("the script ./%1").arg(name)};
    }
    return {};
}

} // namespace

DetectedTest detectTest(const QString &path)
{
    const QDir root(path);
    // A project's own script says best what it wants; then the build systems.
    for (const auto detect : {detectScript, detectNode, detectByFile, detectCtest, detectPython, detectMake}) {
        DetectedTest found = detect(root);
        if (!found.command.isEmpty())
            return found;
    }
    return {};
}

QString testSourcesText()
{
    return QStringLiteral("an executable ./test or test.sh, a test script in package.json, Cargo.toml, go.mod, gradlew, pom.xml, mix.exs, "
                          "deno.json, a Meson or CMake build folder with tests, Python tests, a Makefile with “test” or “check”");
}

} // namespace foundry::runner
