console.log(`npm run ${process.argv[2]}: this part is not built yet.`);
