#include "tests/agents/agentworld.h"

#include <QDir>
#include <QFile>
#include <QJsonDocument>
#include <QJsonObject>
#include <QTest>

namespace foundry::test {

QString agentPackages(QString *reason)
{
    const QString missing = qEnvironmentVariable("FOUNDRY_NPM_MISSING");
    if (!missing.isEmpty()) {
        *reason = missing;
        return {};
    }
    const QString base = qEnvironmentVariable("FOUNDRY_NPM_DIR", QStringLiteral(FOUNDRY_SOURCE_DIR "/build/npm"));
    QString packages = base + QStringLiteral("/agents/node_modules");
    if (!QDir(packages).exists()) {
        *reason = QStringLiteral("no agents from npm in %1 (tests/agents/README.md says how they come there)").arg(packages);
        return {};
    }
    return packages;
}

ScriptedModel::~ScriptedModel()
{
    m_process.closeWriteChannel();
    m_process.waitForFinished(3000);
}

bool ScriptedModel::start(const QString &logFile, QString *reason)
{
    m_process.setProcessChannelMode(QProcess::ForwardedErrorChannel);
    m_process.start(QStringLiteral("node"), {QStringLiteral(FOUNDRY_SOURCE_DIR "/tests/agents/scriptedmodel.mjs"), QStringLiteral("--log"), logFile});
    if (!QTest::qWaitFor([this] { return m_process.canReadLine() || m_process.state() == QProcess::NotRunning; }, 15000)
        || !m_process.canReadLine()) {
        *reason = QStringLiteral("the scripted model server did not start: ") + m_process.errorString();
        return false;
    }
    m_url = QJsonDocument::fromJson(m_process.readLine()).object().value(QStringLiteral("url")).toString();
    return !m_url.isEmpty();
}

QProcessEnvironment agentEnvironment(const QString &agent, const QString &url, const QString &folder, QProcessEnvironment base)
{
    QDir().mkpath(folder);
    const auto set = [&base](const char *name, const QString &value) { base.insert(QString::fromLatin1(name), value); };
    const QString on = QStringLiteral("1");
    if (agent == QStringLiteral("codex")) {
        set("CODEX_HOME", folder);
        set("NO_BROWSER", on);
        QFile config(folder + QStringLiteral("/config.toml"));
        if (config.open(QIODevice::WriteOnly)) {
            config.write("model = \"scripted-1\"\nmodel_provider = \"scripted\"\ncheck_for_update_on_startup = false\n"
                         "[analytics]\nenabled = false\n"
                         "[model_providers.scripted]\nname = \"Scripted\"\nbase_url = \"" + url.toUtf8() + "/v1\"\nwire_api = \"responses\"\n"
                         "requires_openai_auth = false\nrequest_max_retries = 0\nstream_max_retries = 0\n");
        }
    } else if (agent == QStringLiteral("claude")) {
        set("ANTHROPIC_BASE_URL", url);
        set("ANTHROPIC_API_KEY", QStringLiteral("x"));
        set("CLAUDE_CONFIG_DIR", folder);
        set("DISABLE_TELEMETRY", on);
        set("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", on);
        set("DISABLE_AUTOUPDATER", on);
    } else if (agent == QStringLiteral("opencode")) {
        for (const char *name : {"XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME"}) {
            QDir().mkpath(folder + QLatin1Char('/') + QString::fromLatin1(name));
            set(name, folder + QLatin1Char('/') + QString::fromLatin1(name));
        }
        set("OPENCODE_DISABLE_AUTOUPDATE", on);
        set("OPENCODE_DISABLE_MODELS_FETCH", on);
        set("OPENCODE_DISABLE_LSP_DOWNLOAD", on);
        set("OPENCODE_DISABLE_DEFAULT_PLUGINS", on);
        QString config = QString::fromLatin1(R"({"enabled_providers":["scripted"],"model":"scripted/scripted-1","small_model":"scripted/scripted-1",
            "permission":{"edit":"ask","bash":"ask"},"autoupdate":false,"share":"disabled",
            "provider":{"scripted":{"npm":"@ai-sdk/openai-compatible","options":{"baseURL":"@SERVER@/v1","apiKey":"x"},
            "models":{"scripted-1":{"tool_call":true,"limit":{"context":100000,"output":4096}}}}}})");
        set("OPENCODE_CONFIG_CONTENT", config.replace(QStringLiteral("@SERVER@"), url));
    }
    return base;
}

} // namespace foundry::test
