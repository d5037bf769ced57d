#include "resources/foundryresources.h"

#include <QFontDatabase>
#include <QLoggingCategory>
#include <QString>

// Q_INIT_RESOURCE declares a function and must stand outside of any namespace.
static void initFoundryResourceData()
{
    Q_INIT_RESOURCE(foundry_fonts);
    Q_INIT_RESOURCE(foundry_icons);
}

namespace foundry {

namespace {

Q_LOGGING_CATEGORY(lcResources, "foundry.resources")

void addFont(QLatin1StringView file)
{
    if (QFontDatabase::addApplicationFont(QStringLiteral(":/fonts/") + file) < 0)
        qCWarning(lcResources) << "The font" << file << "cannot be used; the desktop's own stands in";
}

} // namespace

void initResources()
{
    initFoundryResourceData();
    addFont(QLatin1StringView("Inter-Regular.otf"));
    addFont(QLatin1StringView("Inter-Medium.otf"));
    addFont(QLatin1StringView("Inter-SemiBold.otf"));
    addFont(QLatin1StringView("JetBrainsMono-Regular.ttf"));
}

void initLateFonts()
{
    addFont(QLatin1StringView("Inter-Bold.otf"));
    addFont(QLatin1StringView("JetBrainsMono-Bold.ttf"));
}

} // namespace foundry
